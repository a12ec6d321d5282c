export interface Values {
  big: bigint;
  text: string;
  flag: boolean;
  amount: number;
  when: Date;
  where: URL;
  bytes: Uint8Array;
  buffer: ArrayBuffer;
  numbers: Float64Array;
  blob: Blob;
  headers: Headers;
  failure: RangeError;
  nothing: null;
  absent: undefined;
  list: string[];
  matrix: Array<Array<number>>;
  fixed: readonly string[];
  pair: [string, number];
  many: [string, ...number[]];
  some: [first: string, second?: boolean];
  scores: Record<string, number>;
  byNumber: Record<number, string>;
  byKey: { [key: string]: Date };
  later: Promise<string>;
  anything: unknown;
  whatever: any;
}

export interface Echo {
  values(values: Values): Values;
  request(request: Request): Promise<Response>;
  wrapped(text: String, flag: Boolean): void;
}

export interface Page {
  at?: URL;
}

export interface Pages {
  home: Page;
  icon: Blob;
  main: Response;
}

export interface Site {
  pages(): Promise<Pages>;
}
