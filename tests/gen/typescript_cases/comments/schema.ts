/**
 * Talking, one to one.
 *
 * @packageDocumentation
 */
import { RpcTarget } from "capnweb";

/**
 * A room that people talk in.
 *
 * See {@link Message}, or {@link https://example.org the site}.
 */
export interface Room extends RpcTarget {
  /**
   * Says something.
   *
   * Twice if need be:
   *
   *     room.say("hello", 2)
   *
   * @param text - What to say.
   * @param howOften - How often.
   *   At least once.
   * @returns The number of listeners.
   */
  say(text: string, howOften?: number): Promise<number>;

  /** @deprecated Use say. */
  shout(text: string): void;

  /** How many there are. */
  readonly size: number;

  // Not a description.
  leave(): void;
}

/** What was said. */
export interface Message {
  /** In words. */
  text: string;
  /** @deprecated since it is always now */
  at: Date;
}

/** @deprecated Use Room. */
export interface Chat extends RpcTarget {
  last(): Promise<Message>;
  /** Which to take. */
  next(options?: { /** How many. */ count?: number; exact?: boolean }): Promise<{ /** Of all. */ first?: string }>;
}
