export default (RpcTarget) => {
  class NewListener extends RpcTarget {
    tell(what) { return what; }
  }

  class OldListener extends NewListener {
    end() { return 'end'; }
  }

  class Old extends RpcTarget {
    async listen(listener) { return await listener.end(); }
  }

  class New extends RpcTarget {
    async listen(listener) { return await listener.tell('x'); }
  }

  async function oldClient(api) {
    return await api.listen(new OldListener());
  }

  async function newClient(api) {
    return await api.listen(new NewListener());
  }

  return { Old, New, oldClient, newClient };
};
