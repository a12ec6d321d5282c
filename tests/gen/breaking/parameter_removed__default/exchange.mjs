export default (RpcTarget) => {
  class Old extends RpcTarget {
    greet(name, times = 1) { return `${name} ${times.toFixed()}`; }
  }

  class New extends RpcTarget {
    greet(name) { return name.toUpperCase(); }
  }

  async function oldClient(api) {
    return await api.greet('Ann', 2);
  }

  async function newClient(api) {
    return await api.greet('Ann');
  }

  return { Old, New, oldClient, newClient };
};
