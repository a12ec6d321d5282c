export default (RpcTarget) => {
  class Old extends RpcTarget {
    user() { return { name: 'Ann', age: 7 }; }
  }

  class New extends RpcTarget {
    user() { return { name: 'Ann' }; }
  }

  async function oldClient(api) {
    return ((await api.user()).age ?? 0).toFixed();
  }

  async function newClient(api) {
    return (await api.user()).name.toUpperCase();
  }

  return { Old, New, oldClient, newClient };
};
