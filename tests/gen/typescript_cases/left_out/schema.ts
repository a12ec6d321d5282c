import { RpcTarget } from "capnweb";

export interface Api extends RpcTarget {
  run(): Promise<Answer>;
}

export interface Answer {
  text: string;
}

/** Nobody names it, and it can be read: it is written too. */
export interface Extra {
  count: number;
}

export interface Cache {
  entries: Map<string, string>;
}

export type Handler<T> = (value: T) => void;
export const LIMIT = 10;
export function helper(value: string): string {
  return value;
}
interface Private {
  hidden: string;
}
