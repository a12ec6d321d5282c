export default (RpcTarget) => {
  class User extends RpcTarget {
    name() { return 'Ann'; }
  }

  class Admin extends User {
    ban() { return 'banned'; }
  }

  class Old extends RpcTarget {
    user() { return new User(); }
  }

  class New extends RpcTarget {
    user() { return new Admin(); }
  }

  async function oldClient(api) {
    return await api.user().name();
  }

  async function newClient(api) {
    return await api.user().ban();
  }

  return { Old, New, oldClient, newClient };
};
