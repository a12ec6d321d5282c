import type { RpcStub } from "capnweb";

export interface Point {
  x: number;
  y: number;
}

export type OnMove = (to: Point, from?: Point) => void;
export type Filter = (point: Point) => boolean;

interface Compare {
  (left: Point, right: Point): number;
}

export interface Screen {
  onMove(callback: OnMove, filter: Filter): Promise<() => void>;
  sort(compare: Compare): Promise<Point[]>;
  keep(callback: RpcStub<(point: Point) => Promise<number>>): void;
  log(write: (...lines: string[]) => void): void;
  handlers(handlers: { start: () => void; stop: (reason: string) => void }): Promise<void>;
  adder(): (value: number) => number;
}
