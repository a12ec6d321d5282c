export default (RpcTarget) => {
  class Old extends RpcTarget {
    greet(name) { return name.toUpperCase(); }
  }

  class New extends RpcTarget {
    greet(who) { return who.toUpperCase(); }
  }

  async function oldClient(api) {
    return await api.greet('Ann');
  }

  async function newClient(api) {
    return await api.greet('Ann');
  }

  return { Old, New, oldClient, newClient };
};
