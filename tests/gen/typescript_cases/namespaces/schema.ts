export namespace Api {
  export interface User {
    name: string;
  }
  export namespace Admin {
    export interface Panel {
      user(name: string): Promise<User | null>;
    }
  }
}

interface Merged {
  first(): void;
}

export interface Merged {
  second(user: Api.User): Promise<Api.Admin.Panel>;
}

export enum Parts {
  One = "one",
}

export enum Parts {
  Two = "two",
}

export interface Uses extends Merged {
  parts(): Parts;
}
