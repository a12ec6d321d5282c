import type { Place } from "./places";

export interface Person {
  name: string;
  home: Place;
}

export type Role = "lead" | "extra";

export interface Unused {
  odd: RegExp;
}
