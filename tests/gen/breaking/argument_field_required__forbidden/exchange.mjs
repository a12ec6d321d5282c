export default (RpcTarget) => {
  class Old extends RpcTarget {
    save(user) { return user.name.toUpperCase(); }
  }

  class New extends RpcTarget {
    save(user) { return `${user.name} ${user.age.toFixed()}`; }
  }

  async function oldClient(api) {
    return await api.save({ name: 'Ann' });
  }

  async function newClient(api) {
    return await api.save({ name: 'Ann', age: 7 });
  }

  return { Old, New, oldClient, newClient };
};
