import { RpcTarget } from "capnweb";

export class Inferred extends RpcTarget {
  result(a: string) {
    return a;
  }
  parameter(a, b: number): void {}
  get property() {
    return 1;
  }
  async *generator(): AsyncGenerator<number> {}
}

export interface Api {
  overloaded(a: string): void;
  overloaded(a: number): void;
  maybe?(): void;
  generic<T extends string>(a: T): T;
  rest(...values: [string, number]): void;
  toString(): string;
  constructor(): void;
  undeclared(a: number);
}

export interface Callable extends RpcTarget {
  (a: number): void;
  method(): void;
}

export interface Open extends RpcTarget {
  method(): void;
  [name: string]: unknown;
}

class Plain {
  text = "";
}

export interface Uses {
  plain(plain: Plain): void;
  data(data: { valueOf: number }): void;
}

export interface Generic<T> extends RpcTarget {
  method(value: T): void;
}

export interface Costs extends RpcTarget {
  /** @capnweb cost 0 */
  nothing(): void;
  /** @capnweb items many */
  many(): number[];
}
