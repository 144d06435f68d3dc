// A TCP proxy that behaves like a bad network: it can cut, hold back, refuse, and keep web sockets out.
import { connect, createServer } from "node:net";

/** @param {number} port where the server listens; may be changed later by `proxy.port = n` (a restart). */
export async function startProxy(port) {
  const pairs = new Set();
  const state = { port, refusing: false, holding: false, webSockets: true, delayMs: 0, accepted: 0, cut: 0, socketsCut: 0 };

  const server = createServer((client) => {
    if (state.refusing) return client.destroy();
    state.accepted += 1;
    const upstream = connect(state.port, "127.0.0.1");
    const pair = { client, upstream, held: [], socket: false };
    pairs.add(pair);
    const close = () => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    forward(pair, client, upstream, true);
    forward(pair, upstream, client, false);
    for (const end of [client, upstream]) end.on("error", close).on("close", close);
  });

  function forward(pair, from, to, isRequest) {
    from.on("data", (bytes) => {
      if (isRequest && /^GET [^\r]*\r\n[^]*?\r\nupgrade: *websocket/i.test(bytes.toString("latin1"))) {
        pair.socket = true;
        // What many company networks do to an upgrade.
        if (!state.webSockets) return pair.client.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      }
      const pass = () => !to.destroyed && to.write(bytes);
      if (state.holding) pair.held.push(pass);
      else if (state.delayMs > 0) setTimeout(pass, state.delayMs);
      else pass();
    });
  }

  await new Promise((done, failed) => server.once("error", failed).listen(0, "127.0.0.1", done));
  const own = server.address().port;

  const methods = {
    url: `http://127.0.0.1:${own}`,
    /** Resets every connection, or only the web sockets. */
    cutAll({ onlySockets = false } = {}) {
      for (const pair of [...pairs]) {
        if (onlySockets && !pair.socket) continue;
        state.cut += 1;
        if (pair.socket) state.socketsCut += 1;
        pair.client.resetAndDestroy();
        pair.upstream.resetAndDestroy();
        pairs.delete(pair);
      }
    },
    /** Nothing passes any more, yet nobody is told: a dead Wi-Fi. `release` lets all of it go on. */
    hold() {
      state.holding = true;
    },
    release() {
      state.holding = false;
      for (const pair of pairs) for (const pass of pair.held.splice(0)) pass();
    },
    /** No network: existing connections break, new ones are refused, until `plugIn`. */
    unplug() {
      state.refusing = true;
      this.cutAll();
    },
    plugIn() {
      state.refusing = false;
    },
    get open() {
      return pairs.size;
    },
    get openSockets() {
      return [...pairs].filter((pair) => pair.socket).length;
    },
    async stop() {
      this.cutAll();
      await new Promise((done) => server.close(done));
    },
  };
  // Object.assign would read the getters once, now.
  return Object.defineProperties(state, Object.getOwnPropertyDescriptors(methods));
}
