export default (RpcTarget) => {
  class Desk extends RpcTarget {
    user() { return { name: 'Ann' }; }
  }

  class Old extends RpcTarget {
    desk() { return new Desk(); }
  }

  class New extends RpcTarget {
    desk() { return new Desk(); }
  }

  async function oldClient(api) {
    return (await api.desk().user()).name;
  }

  async function newClient(api) {
    return (await api.desk().user()).name;
  }

  return { Old, New, oldClient, newClient };
};
