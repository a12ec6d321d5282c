/** Exceptions that methods declare. */
import { RpcTarget } from "capnweb";
import { Gone, type Clock } from "./errors";
import * as errors from "./errors";

/** There is no such book. */
export interface NotFound extends Error {
  name: "NotFound";
  retryAfter?: number;
  /** What was asked for. */
  bookId: string;
  nearest: Book[];
}

export class Full extends Error {
  override readonly name = "Overfull";
  code = 507;
  cause = "none";
  readonly args!: string[];

  constructor(
    message: string,
    readonly limit: number,
    private readonly secret: string,
  ) {
    super(message);
  }

  describe(): string {
    return this.secret;
  }
}

export class Quiet extends Error {
  constructor() {
    super("quiet");
    this.name = "QuietError";
  }
}

export class Nameless extends Error {}

export interface PermissionError extends Error {
  name: "PermissionError";
}

export interface Unused extends Error {
  name: "Unused";
}

export interface Book {
  title: string;
}

export interface Library extends RpcTarget {
  /**
   * Finds a book.
   *
   * @throws {NotFound} If there is none.
   *   Not even a similar one.
   * @throws {@link Gone}
   * @throws {errors.Closed}
   * @throws {TypeError} If it is no word.
   * @throws If the library burns.
   * @throws {Nowhere | Book}
   */
  find(word: string): Promise<Book>;

  /**
   * Adds a book.
   *
   * @throws {Full | Quiet}
   * @throws Nameless, now and then.
   * @exception {PermissionError}
   */
  add(book: Book): void;

  /** @throws {@link Gone} */
  readonly owner: string;

  /** @throws {NotFound} */
  onLost: (book: Book) => void;
  clock(): Promise<Clock>;
  failure(): Promise<NotFound>;
  watch(watcher: Watcher): void;
}

/** Is told of books. */
export interface Watcher {
  /**
   * Takes one.
   *
   * @throws {NotFound}
   */
  (book: Book): void;
}
