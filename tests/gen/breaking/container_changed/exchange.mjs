export default (RpcTarget) => {
  class Old extends RpcTarget {
    sort(items) { return items.sort(); }
  }

  class New extends RpcTarget {
    sort(items) { return items.sort(); }
  }

  async function oldClient(api) {
    return (await api.sort([2, 1])).length;
  }

  async function newClient(api) {
    return (await api.sort([2, 1])).length;
  }

  return { Old, New, oldClient, newClient };
};
