export default (RpcTarget) => {
  class Old extends RpcTarget {
    find(key) { return `found ${key}`; }
  }

  class New extends RpcTarget {
    find(key) { throw Object.assign(new Error('none'), { name: 'NotFound' }); }
  }

  async function oldClient(api) {
    try { return await api.find(4); } catch (error) { return error.message; }
  }

  async function newClient(api) {
    try { return await api.find(4); } catch (error) { return error.message; }
  }

  return { Old, New, oldClient, newClient };
};
