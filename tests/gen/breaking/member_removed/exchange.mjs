export default (RpcTarget) => {
  class Old extends RpcTarget {
    greet(name) { return `hello ${name}`; }
    part() { return 'bye'; }
  }

  class New extends RpcTarget {
    greet(name) { return `hello ${name}`; }
  }

  async function oldClient(api) {
    return await api.part();
  }

  async function newClient(api) {
    return await api.greet('Ann');
  }

  return { Old, New, oldClient, newClient };
};
