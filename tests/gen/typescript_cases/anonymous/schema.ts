export interface Shop {
  order(input: { items: { name: string; count: number }[]; note?: string }): Promise<{ number: number; total: number }>;
  status(number: number): Promise<{ number: number; total: number } | null>;
  ship(input: { number: number }): Promise<{ by: "air" | "sea" }>;
  session(): Promise<{ send(text: string): Promise<void> }>;
}

export interface Depot {
  ship(input: { crate: string }): void;
  each(visit: (item: { name: string; count: number }) => void): Promise<void>;
}
