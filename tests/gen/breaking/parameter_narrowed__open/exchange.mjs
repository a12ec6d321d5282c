export default (RpcTarget) => {
  class Old extends RpcTarget {
    paint(colour) { return colour; }
  }

  class New extends RpcTarget {
    paint(colour) { return colour; }
  }

  async function oldClient(api) {
    return await api.paint('blue');
  }

  async function newClient(api) {
    return await api.paint('red');
  }

  return { Old, New, oldClient, newClient };
};
