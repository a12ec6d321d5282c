import type { Post } from "./schema";

export interface Reply {
  to: Post;
  text: string;
}
