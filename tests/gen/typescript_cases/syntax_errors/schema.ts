export interface Broken {
  open(a: number; b: string): void;
  fine(): Map<string, string>;
}

export interface Unclosed {
  method(: void;
