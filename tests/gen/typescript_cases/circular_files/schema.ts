import type { Reply } from "./replies";

export interface Post {
  text: string;
  replies: Reply[];
}

export interface Forum {
  posts(): Promise<Post[]>;
}
