import { RpcTarget } from "capnweb";

export interface Clock extends RpcTarget {
  /** @throws {Closed} */
  now(): Promise<Date>;
}

class Failure extends Error {
  since!: Date;
}

/** It was there once. */
export class Gone extends Failure {
  override name = "Gone" as const;
}

export class Closed extends Failure {
  override readonly name = "Closed";
}
