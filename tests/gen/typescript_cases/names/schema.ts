import { RpcTarget } from "capnweb";

export interface $Node {
  $id: string;
  "in-reply-to": string;
  from: string;
  class: number;
  copy: string;
  _hidden: boolean;
  größe: number;
  userID: number;
  URL: string;
}

export interface mail {
  from?: string;
  "x-spam"?: boolean;
}

export interface Literal extends RpcTarget {
  list(of: string[]): Promise<string[]>;
  str(from: string, class_: number): Promise<string>;
  pass(): void;
  map(): Promise<number>;
  dispose(): void;
  "quoted name"(): void;
  getHTTPServer(lambda: mail): Promise<$Node>;
  userId(): number;
  user_id(): number;
  destructured({ a, b }: { a: number; b: string }, _unused: string): void;
}

export interface Protocol extends RpcTarget {
  readonly datetime: Date;
  after(when: Date): Promise<Literal>;
}
