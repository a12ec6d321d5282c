export default (RpcTarget) => {
  class Old extends RpcTarget {
    double(price) { return Number(price.toFixed(2)) * 2; }
  }

  class New extends RpcTarget {
    double(price) { return price.replace('1.50', '3.00'); }
  }

  async function oldClient(api) {
    return (await api.double(1.5)).toFixed(2);
  }

  async function newClient(api) {
    return (await api.double('1.50')).replace('.', ',');
  }

  return { Old, New, oldClient, newClient };
};
