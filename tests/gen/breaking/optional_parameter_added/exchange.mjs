export default (RpcTarget) => {
  class Old extends RpcTarget {
    greet(name) { return name.toUpperCase(); }
  }

  class New extends RpcTarget {
    greet(name, times = 1) { return `${name} ${times.toFixed()}`; }
  }

  async function oldClient(api) {
    return await api.greet('Ann');
  }

  async function newClient(api) {
    return await api.greet('Ann', 2);
  }

  return { Old, New, oldClient, newClient };
};
