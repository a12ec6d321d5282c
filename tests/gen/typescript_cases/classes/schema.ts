import * as capnweb from "capnweb";
import { RpcTarget } from "capnweb";

export interface Entry {
  text: string;
}

export abstract class Store extends RpcTarget {
  #entries: Entry[] = [];
  private limit = 10;
  public colour: string = "red";
  static instances = 0;
  static make(): Store | null {
    return null;
  }
  constructor(private readonly owner: string) {
    super();
  }
  get size(): number {
    return this.#entries.length;
  }
  set size(value: number) {}
  /** Adds an entry. */
  async add(entry: Entry, at = 0, quiet = false): Promise<Entry> {
    return { ...entry, text: `${entry.text}${at}${quiet}` };
  }
  abstract clear(): void;
  self(): this {
    return this;
  }
  protected check(): boolean {
    return true;
  }
  private forget(): void {}
  [Symbol.dispose](): void {}
}

export class FileStore extends Store {
  clear(): void {}
  named(name: string): Promise<Entry | undefined>;
  named(name: string): Promise<Entry | undefined> {
    return Promise.resolve(undefined);
  }
}

export class Bare extends capnweb.RpcTarget {}

export class Local {
  run(): number {
    return 1;
  }
}
