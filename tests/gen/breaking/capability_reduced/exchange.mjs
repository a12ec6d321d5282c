export default (RpcTarget) => {
  class User extends RpcTarget {
    name() { return 'Ann'; }
  }

  class Admin extends User {
    ban() { return 'banned'; }
  }

  class Old extends RpcTarget {
    user() { return new Admin(); }
  }

  class New extends RpcTarget {
    user() { return new User(); }
  }

  async function oldClient(api) {
    return await api.user().ban();
  }

  async function newClient(api) {
    return await api.user().name();
  }

  return { Old, New, oldClient, newClient };
};
