export interface Chunk {
  offset: number;
  data: Uint8Array;
}

export interface Files {
  read(path: string): ReadableStream<Uint8Array>;
  write(path: string): Promise<WritableStream<Chunk>>;
  sync(input: { chunks: ReadableStream<Chunk>; size: number }): Promise<{ stream: ReadableStream<Chunk>; total: number }>;
  raw(): ReadableStream;
}
