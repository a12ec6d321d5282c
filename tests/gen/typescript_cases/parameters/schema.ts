export interface Search {
  find(query: string, limit?: number, ...tags: string[]): Promise<string[]>;
  options(query: string, options: { exact: boolean; locale?: string }): void;
  optional(query: string, options?: { exact?: boolean }): void;
  either(query: string, options?: { exact: boolean }): void;
  last(input: { exact: boolean }): void;
  many(first: string | undefined, second: number): void;
  nothing(): Promise<undefined>;
}
