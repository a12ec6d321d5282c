import { RpcTarget } from "capnweb";

export class Page extends RpcTarget {
  title(): string {
    const element = <h1 className="title">hello</h1>;
    return String(element);
  }
}
