type Nested = string | Nested[];
type Text = `a${Text}`;
type Many<T> = T | Many<T[]>[];

export interface Api {
  nested(value: Nested): void;
  text(value: Text): void;
  many(value: Many<string>): void;
}
