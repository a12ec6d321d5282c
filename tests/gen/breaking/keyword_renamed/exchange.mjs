export default (RpcTarget) => {
  class Old extends RpcTarget {
    greet(name, options) { return `${name} ${options.max_times.toFixed()}`; }
  }

  class New extends RpcTarget {
    greet(name, options) { return `${name} ${options.maxTimes.toFixed()}`; }
  }

  async function oldClient(api) {
    return await api.greet('Ann', { max_times: 2 });
  }

  async function newClient(api) {
    return await api.greet('Ann', { maxTimes: 2 });
  }

  return { Old, New, oldClient, newClient };
};
