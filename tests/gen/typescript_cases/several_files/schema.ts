import type { Person, Role as Part } from "./people.js";
import * as places from "./places";
import Cast from "./places";

export interface Theatre {
  cast(play: string): Promise<Person[]>;
  role(person: Person): Promise<Part>;
  at(place: places.Place): Promise<Cast>;
  all(): Promise<import("./people").Person[]>;
}

export { type Person } from "./people";
export * from "./places";
