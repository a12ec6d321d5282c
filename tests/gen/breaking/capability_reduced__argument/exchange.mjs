export default (RpcTarget) => {
  class User extends RpcTarget {
    name() { return 'Ann'; }
  }

  class Admin extends User {
    ban() { return 'banned'; }
  }

  class Old extends RpcTarget {
    async meet(user) { return await user.ban(); }
  }

  class New extends RpcTarget {
    async meet(user) { return await user.name(); }
  }

  async function oldClient(api) {
    return await api.meet(new Admin());
  }

  async function newClient(api) {
    return await api.meet(new User());
  }

  return { Old, New, oldClient, newClient };
};
