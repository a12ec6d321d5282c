export interface Task {
  id: string;
  title: string;
  done: boolean;
  due?: Date;
}

export type NewTask = Omit<Task, "id" | "done">;
export type TaskRef = Pick<Task, "id">;
export type Full = Required<Task>;
export type Frozen = Readonly<Task>;
export type Stage = "todo" | "doing" | "done";
export type Open = Exclude<Stage, "done">;
type Counts = Record<Stage, number>;
type Copy = { [Key in keyof Task]: Task[Key] };
type Flags = { readonly [Key in Stage]?: boolean };
const LIMITS = { low: 1, high: 9 } as const;
const NAMES = ["ada", "bob"] as const;
declare function load(): Promise<Task>;
type Load = () => Promise<Task>;

export interface Board {
  add(task: NewTask): Promise<TaskRef>;
  change(id: Task["id"], changes: Partial<Omit<Task, "id">>): Promise<Full>;
  counts(): Promise<Counts>;
  copy(task: Copy, frozen: Frozen): Promise<Awaited<ReturnType<Load>>>;
  flags(flags: Flags, open: Open, key: keyof Task): void;
  limit(limit: (typeof LIMITS)[keyof typeof LIMITS], name: (typeof NAMES)[number]): NonNullable<string | null>;
  partial(some: Partial<Record<Stage, string>>): Promise<void>;
  list(tasks: ReadonlyArray<Task>, texts: Readonly<string[]>): Parameters<(first: string, second: number) => void>;
}
