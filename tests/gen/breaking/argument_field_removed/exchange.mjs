export default (RpcTarget) => {
  class Old extends RpcTarget {
    save(user) { return `${user.name} ${user.age.toFixed()}`; }
  }

  class New extends RpcTarget {
    save(user) { return user.name.toUpperCase(); }
  }

  async function oldClient(api) {
    return await api.save({ name: 'Ann', age: 7 });
  }

  async function newClient(api) {
    return await api.save({ name: 'Ann' });
  }

  return { Old, New, oldClient, newClient };
};
