export default (RpcTarget) => {
  class Old extends RpcTarget {
    greet(name, times) { return `${name} ${times.toFixed()}`; }
  }

  class New extends RpcTarget {
    greet(name, options) { return `${name} ${options.times.toFixed()}`; }
  }

  async function oldClient(api) {
    return await api.greet('Ann', 2);
  }

  async function newClient(api) {
    return await api.greet('Ann', { times: 2 });
  }

  return { Old, New, oldClient, newClient };
};
