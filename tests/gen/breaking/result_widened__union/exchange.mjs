export default (RpcTarget) => {
  class Old extends RpcTarget {
    shape() { return { kind: 'square' }; }
  }

  class New extends RpcTarget {
    shape() { return { kind: 'star' }; }
  }

  async function oldClient(api) {
    return (await api.shape()).kind;
  }

  async function newClient(api) {
    return (await api.shape()).kind;
  }

  return { Old, New, oldClient, newClient };
};
