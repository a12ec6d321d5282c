export interface Profile {
  name: string;
  nickname?: string;
  motto: string | null;
}

export interface Settings {
  theme?: string | null;
  extra?: unknown;
}

export interface Open {
  id: string;
  [name: string]: unknown;
}

export interface Users {
  get(id: number): Promise<Profile | null>;
  find(name: string): Promise<Profile | undefined>;
  maybe(): Promise<string | null | undefined>;
  change(id: number, changes: Partial<Profile>): Promise<void>;
  settings(settings?: Settings): Settings | void;
  page(first: number | undefined, last?: number): Promise<Open[]>;
}
