export default (RpcTarget) => {
  class Old extends RpcTarget {
    greet(times = 1) { return times; }
  }

  class New extends RpcTarget {
    greet(times = 2) { return times; }
  }

  async function oldClient(api) {
    return await api.greet();
  }

  async function newClient(api) {
    return await api.greet();
  }

  return { Old, New, oldClient, newClient };
};
