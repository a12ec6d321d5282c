export default (RpcTarget) => {
  class Old extends RpcTarget {
    user() { return { name: 'Ann' }; }
  }

  class New extends RpcTarget {
    user() { return { name: 'Ann', age: 7 }; }
  }

  async function oldClient(api) {
    return (await api.user()).name.toUpperCase();
  }

  async function newClient(api) {
    return ((await api.user()).age ?? 0).toFixed();
  }

  return { Old, New, oldClient, newClient };
};
