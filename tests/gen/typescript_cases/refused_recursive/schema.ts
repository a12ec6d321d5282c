type Nested = string | Nested[];
type Text = `a${Text}`;
type Many<T> = T | Many<T[]>[];

export interface Api {
  nested(value: Nested): void;
  text(value: Text): void;
  many(value: Many<string>): void;
}

type Both<T> = [Both<T[]>, Both<T[]>];
interface Call {
  (again: Call): Call;
}
type Left<T> = [Right<T>, Right<T[]>];
type Right<T> = [Left<T>, Left<T[]>];
type Visit = (again?: Visit) => Visit;

export interface More {
  both(value: Both<string>): void;
  call(value: Call): void;
  left(value: Left<string>): void;
  visit(visit: Visit): void;
}
