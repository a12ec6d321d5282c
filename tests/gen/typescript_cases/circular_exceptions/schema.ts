/** A file that another one needs, of which it needs an exception and an enum. */
import { RpcTarget } from "capnweb";
import { Colour, Gone } from "./errors";

export interface Book {
  title: string;
}

export interface Library extends RpcTarget {
  /** @throws {Gone} */
  get(colour: Colour): Promise<Book>;
}
