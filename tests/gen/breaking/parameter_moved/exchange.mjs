export default (RpcTarget) => {
  class Old extends RpcTarget {
    pay(amount, currency) { return `${amount.toFixed(2)} ${currency}`; }
  }

  class New extends RpcTarget {
    pay(currency, amount) { return `${amount.toFixed(2)} ${currency}`; }
  }

  async function oldClient(api) {
    return await api.pay(5, 'EUR');
  }

  async function newClient(api) {
    return await api.pay('EUR', 5);
  }

  return { Old, New, oldClient, newClient };
};
