export default (RpcTarget) => {
  class Old extends RpcTarget {
    async each(call) { return await call(1); }
  }

  class New extends RpcTarget {
    async each(call) { return await call(1, 2); }
  }

  async function oldClient(api) {
    return await api.each(one => one.toFixed());
  }

  async function newClient(api) {
    return await api.each((one, other) => one.toFixed() + other.toFixed());
  }

  return { Old, New, oldClient, newClient };
};
