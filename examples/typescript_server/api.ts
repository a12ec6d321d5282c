// What the server offers, in one file that its clients share. Nothing here is written for Python.
import type { RpcStub, RpcTarget } from "capnweb";

/** A reading of one sensor. */
export interface Reading {
  sensor: string;
  at: Date;
  /** In degrees Celsius. */
  value: number;
}

export type Alarm =
  | { kind: "high"; reading: Reading; limit: number }
  | { kind: "silent"; sensor: string; since: Date };

export type Limits = { low?: number; high?: number };

/** What everybody may do. */
export interface Station extends RpcTarget {
  /**
   * Signs in.
   *
   * @param key - As the label on the station says.
   */
  signIn(key: string): Promise<Keeper>;

  /** The last reading of a sensor, if it has ever sent one. */
  lastReading(sensor: string): Promise<Reading | null>;
}

/** What somebody may do who has the key. */
export interface Keeper extends RpcTarget {
  readonly stationName: string;

  sensors(): Promise<string[]>;

  /** Sets what is given, and leaves the other limit as it is. */
  setLimits(sensor: string, limits: Limits): Promise<Required<Limits>>;

  /** Calls back for each alarm that a reading sets off. */
  watch(onAlarm: (alarm: Alarm) => void): Promise<RpcStub<{}>>;

  report(sensor: string, value: number, options?: { at?: Date }): Promise<{ number: number; alarms: number }>;

  /** All readings, oldest first. */
  history(sensor: string): Promise<ReadableStream<Reading>>;
}
