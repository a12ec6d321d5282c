import { RpcTarget } from "capnweb";

export interface Page<T> {
  items: T[];
  next?: Page<T> | null;
}

export interface Cursor<T, K extends string = string> extends RpcTarget {
  read(key: K, count: number): Promise<Page<T>>;
  rest(): Promise<Cursor<T, K>>;
}

type Maybe<T> = T | null;
type Handler<T> = (value: T) => void;

export interface Track {
  title: string;
}

export type TrackCursor = Cursor<Track, "title">;

export interface Music extends RpcTarget {
  tracks(): Promise<TrackCursor>;
  names(): Promise<Cursor<string>>;
  first(): Promise<Maybe<Track>>;
  watch(handler: Handler<Track[]>): Promise<void>;
}
