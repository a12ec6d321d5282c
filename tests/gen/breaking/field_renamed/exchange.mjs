export default (RpcTarget) => {
  class Old extends RpcTarget {
    user() { return { full_name: 'Ann' }; }
  }

  class New extends RpcTarget {
    user() { return { fullName: 'Ann' }; }
  }

  async function oldClient(api) {
    return (await api.user()).full_name.toUpperCase();
  }

  async function newClient(api) {
    return (await api.user()).fullName.toUpperCase();
  }

  return { Old, New, oldClient, newClient };
};
