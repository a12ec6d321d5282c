export type Shape = { kind: "circle"; radius: number } | { kind: "square"; side: number };

export type Event = { id: number; at?: Date } & ({ type: "made"; by: string } | { type: "gone" });

type Result<T> = { ok: true; value: T } | { ok: false; error: string };

export type Either = string | number | string[];

export interface Drawing {
  add(shape: Shape): Promise<Result<number>>;
  events(): Promise<Event[]>;
  name(): Promise<Result<string>>;
  put(value: Either, position: number | "end" | "start"): void;
  toggle(value: boolean | null): true | false;
  time(at: Date | string): Promise<Uint8Array | string | null>;
}
