import type { Secret } from "vault";

type Pick1<T> = T extends string ? "text" : never;

export interface Refused {
  map(map: Map<string, number>): void;
  set(): Promise<Set<string>>;
  pattern(pattern: RegExp): void;
  key(key: symbol): void;
  never(): never;
  object(value: object): void;
  lines(): AsyncIterable<string>;
  generator(): AsyncGenerator<number>;
  fn(fn: Function): void;
  half(value: 0.5): void;
  conditional(value: Pick1<string>): void;
  made(make: new () => Date): void;
  secret(secret: Secret): void;
  unknownName(value: Nowhere): void;
  alike(value: Date[] | string[]): void;
  pair(value: { a: number } | { b: number }): void;
  stub(value: RpcStub<string>): void;
  either(): Promise<{ send(text: string): void } | { error: string }>;
  empty(value: []): void;
  bare(value: Promise): void;
  upper(value: Uppercase<"a">): void;
  value(value: typeof Math): void;
  index(value: Date["x"]): void;
  keys(value: Record<keyof Map<string, string>, number>): void;
  each<T>(value: T): T;
}

export interface Typed {
  id: string;
  [name: string]: string;
}

export interface Sparse {
  id?: string;
  [name: string]: unknown;
}

export interface More {
  typed(typed: Typed): void;
  sparse(sparse: Sparse): void;
}
