export default (RpcTarget) => {
  class User extends RpcTarget {
    name() { return 'Ann'; }
  }

  class Old extends RpcTarget {
    user() { return 'Ann'; }
  }

  class New extends RpcTarget {
    user() { return new User(); }
  }

  async function oldClient(api) {
    return (await api.user()).toUpperCase();
  }

  async function newClient(api) {
    return await api.user().name();
  }

  return { Old, New, oldClient, newClient };
};
