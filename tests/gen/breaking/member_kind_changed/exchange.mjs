export default (RpcTarget) => {
  class Old extends RpcTarget {
    size() { return 3; }
  }

  class New extends RpcTarget {
    get size() { return 3; }
  }

  async function oldClient(api) {
    return (await api.size()).toFixed();
  }

  async function newClient(api) {
    return (await api.size).toFixed();
  }

  return { Old, New, oldClient, newClient };
};
