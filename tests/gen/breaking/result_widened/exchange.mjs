export default (RpcTarget) => {
  class Old extends RpcTarget {
    colour() { return 'red'; }
  }

  class New extends RpcTarget {
    colour() { return 'blue'; }
  }

  async function oldClient(api) {
    return (await api.colour()).toUpperCase();
  }

  async function newClient(api) {
    return (await api.colour()).toUpperCase();
  }

  return { Old, New, oldClient, newClient };
};
