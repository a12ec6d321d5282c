export default (RpcTarget) => {
  class Old extends RpcTarget {
    greet(name, { loud = false } = {}) { return `${name} ${loud}`; }
  }

  class New extends RpcTarget {
    greet(name, { loud = false, times = 1 } = {}) { return `${name} ${loud} ${times}`; }
  }

  async function oldClient(api) {
    return await api.greet('Ann', { loud: true });
  }

  async function newClient(api) {
    return await api.greet('Ann', { times: 2 });
  }

  return { Old, New, oldClient, newClient };
};
