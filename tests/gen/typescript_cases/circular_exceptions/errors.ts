import { type Book } from "./schema";

export enum Colour {
  Red = "red",
}

export interface Gone extends Error {
  name: "Gone";
  book: Book;
}
