export type Loop = Loop2;
type Loop2 = Loop;

export interface Grow<T> {
  value: T;
  next(): Grow<T[]>;
}

export enum Odd {
  A = "a".length,
  B = 0.5,
}

export interface Api {
  loop(loop: Loop): void;
  grow(): Grow<string>;
  odd(): Odd;
  missing(): Page;
  page(): Promise<Page<string, number>>;
}

interface Page<T> {
  items: T[];
}

export interface Self extends Self {
  method(): void;
}

export interface XStub {
  text: string;
}

export interface X {
  stub(): Promise<XStub>;
}
