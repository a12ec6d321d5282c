/** How urgent something is. */
export enum Level {
  /** Can wait. */
  Low = 1,
  Middle,
  High = 1 << 4,
}

export const enum Word {
  Yes = "yes",
  No = "no",
}

export const Colour = { Red: "red", Blue: "blue" } as const;
export type Colour = (typeof Colour)[keyof typeof Colour];

export type Phase = "new" | "old";
type Version = `v${number}.${number}`;
type Key = `${Phase}-${string}`;

export interface Settings {
  level: Level;
  word: Word;
  colour: Colour;
  phase: Phase;
  version: Version;
  one: 1;
  minus: -1;
  yes: true;
  mixed: "a" | 2 | false;
}

export interface Config {
  get(): Settings;
  level(level: Level.Low | Level.High, key: Key): Promise<Word.Yes>;
}
