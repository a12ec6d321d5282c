export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export interface Tree {
  value: Json;
  children: Tree[];
  parent: Tree | null;
}

export interface Forest {
  plant(tree: Tree): Promise<Forest>;
  any(value: JsonValue): void;
}

type JsonValue = null | string | number | boolean | JsonArray | JsonObject;
type JsonArray = JsonValue[];
interface JsonObject {
  [key: string]: JsonValue | undefined;
}
