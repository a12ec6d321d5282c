export default (RpcTarget) => {
  class Old extends RpcTarget {
    find(key) { return `found ${key}`; }
  }

  class New extends RpcTarget {
    find(key) { return `found ${key}`; }
  }

  async function oldClient(api) {
    return await api.find(4);
  }

  async function newClient(api) {
    return await api.find(null);
  }

  return { Old, New, oldClient, newClient };
};
