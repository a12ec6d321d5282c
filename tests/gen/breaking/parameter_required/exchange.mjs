export default (RpcTarget) => {
  class Old extends RpcTarget {
    greet(name = 'you') { return name.toUpperCase(); }
  }

  class New extends RpcTarget {
    greet(name) { return name.toUpperCase(); }
  }

  async function oldClient(api) {
    return await api.greet();
  }

  async function newClient(api) {
    return await api.greet('Ann');
  }

  return { Old, New, oldClient, newClient };
};
