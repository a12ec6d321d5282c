export default (RpcTarget) => {
  class OldListener extends RpcTarget {
    tell(what) { return what; }
  }

  class NewListener extends OldListener {
    end() { return 'end'; }
  }

  class Old extends RpcTarget {
    async listen(listener) { return await listener.tell('x'); }
  }

  class New extends RpcTarget {
    async listen(listener) { return await listener.end(); }
  }

  async function oldClient(api) {
    return await api.listen(new OldListener());
  }

  async function newClient(api) {
    return await api.listen(new NewListener());
  }

  return { Old, New, oldClient, newClient };
};
