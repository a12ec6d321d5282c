export default (RpcTarget) => {
  class Old extends RpcTarget {
    find(key) { throw Object.assign(new Error('none'), { name: 'NotFound', key }); }
  }

  class New extends RpcTarget {
    find(key) { throw Object.assign(new Error('none'), { name: 'NotFound', key, shelf: 'A' }); }
  }

  async function oldClient(api) {
    try { return await api.find(4); } catch (error) { return error.key.toFixed(); }
  }

  async function newClient(api) {
    try { return await api.find(4); } catch (error) { return error.shelf.toLowerCase(); }
  }

  return { Old, New, oldClient, newClient };
};
