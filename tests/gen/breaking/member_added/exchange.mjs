export default (RpcTarget) => {
  class Old extends RpcTarget {
    greet(name) { return `hello ${name}`; }
  }

  class New extends RpcTarget {
    greet(name) { return `hello ${name}`; }
    part() { return 'bye'; }
  }

  async function oldClient(api) {
    return await api.greet('Ann');
  }

  async function newClient(api) {
    return await api.part();
  }

  return { Old, New, oldClient, newClient };
};
