// What extends RpcTarget, has methods, or stands in RpcStub<...> travels by reference; the rest by value.
import { RpcTarget, type RpcStub, type RpcPromise } from "capnweb";

export interface Library extends RpcTarget {
  borrow(title: string): Promise<Loan>;
  find(title: string): Promise<Loan | null>;
  shelf(): Promise<RpcStub<Loan>[]>;
  follow(watcher: RpcStub<Watcher>): Promise<RpcStub<{}>>;
  anything(): Promise<RpcStub<any>>;
  back(loan: RpcPromise<Loan>, reader: Reader): void;
  readonly desk: RpcStub<Desk>;
}

export interface Loan extends RpcTarget {
  readonly title: string;
  reader(): Promise<Reader>;
}

interface Watcher {
  returned(title: string): void;
}

interface Desk {
  readonly open: boolean;
}

export interface Reader {
  id: number;
  name: string;
  born: Date;
}

/** Nothing names it, and its members are capabilities: it is what a session begins with. */
export interface Main {
  library: Library;
  watch: (title: string) => Promise<void>;
}

export interface Empty extends RpcTarget {}
