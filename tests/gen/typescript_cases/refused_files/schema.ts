import { Missing } from "./missing";
import type { Thing } from "some-package";
import { Other } from "./other";
import { type Unused } from "another-package";
import { WorkerEntrypoint } from "cloudflare:workers";

export interface Api {
  missing(): Promise<Missing>;
  thing(): Promise<Thing>;
  other(): Promise<Other>;
}

export class Entry extends WorkerEntrypoint {
  run(): void {}
}
