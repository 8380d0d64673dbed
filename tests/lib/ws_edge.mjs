// Stands in for SIP over WebSocket at the gateway (`/ws`) in tests of the browser phone alone: a registrar with digest, and a proxy that
// carries requests from browser to browser. Media goes from browser to browser by itself.
//
//   const edge = new WsEdge({domain, passwords: {100: '...'}});
//   await edge.serve(page)                  the page's WebSocket to /ws is ours; before the page is opened
//   edge.seen                               [{method, uri, from}] of all requests; to be looked at
//   edge.registered('100')                  somebody is
import { authorization, branch, build, challengeOf, md5, parse, tagOf, token, uriOf } from './sip_message.mjs';

const VIA = 'z9hG4bKedge';
const userOf = (uri) => decodeURIComponent(/^sips?:([^@;>]+)@/.exec(uri)?.[1] ?? '');

export class WsEdge {
  seen = [];
  #users = new Map(); // number -> connection
  #contacts = new Map(); // user of a Contact -> connection
  #waiting = new Map(); // branch of our Via -> connection

  constructor({ domain, passwords }) {
    this.domain = domain;
    this.passwords = passwords;
  }

  serve(page) {
    return page.routeWebSocket(/\/ws$/, (socket) => {
      const connection = { send: (message) => socket.send(build(message).toString()) };
      socket.onMessage((text) => this.#take(connection, String(text)));
      socket.onClose(() => this.#forget(connection));
    });
  }

  registered(number) {
    return this.#users.has(number);
  }

  #take(connection, text) {
    if (text.trim() === '') return;
    const message = parse(Buffer.from(text));
    if (message.status) return this.#back(message);
    this.seen.push({ method: message.method, uri: message.uri, from: userOf(uriOf(message.get('from'))), to: message.get('refer-to') });
    if (message.method === 'REGISTER') return this.#register(connection, message);
    this.#forward(connection, message);
  }

  #register(connection, request) {
    const number = userOf(uriOf(request.get('to')));
    const shown = request.get('authorization');
    if (!shown) return this.#answer(connection, request, 401, [['WWW-Authenticate', `Digest realm="${this.domain}", nonce="${token()}", qop="auth", algorithm=MD5`]]);
    if (!this.#good(number, challengeOf(shown))) return this.#answer(connection, request, 403);
    const contact = request.get('contact');
    this.#users.set(number, connection);
    this.#contacts.set(userOf(uriOf(contact)), connection);
    this.#answer(connection, request, 200, [['Contact', `${contact.replace(/;expires=\d+/, '')};expires=120`]]);
  }

  #good(number, shown) {
    const password = this.passwords[number];
    if (!password) return false;
    const wanted = authorization({ ...shown }, { method: 'REGISTER', uri: shown.uri, user: number, password, nc: parseInt(shown.nc, 16), cnonce: shown.cnonce });
    return challengeOf(wanted).response === shown.response;
  }

  /** Our Via is made of the sender's, so that a CANCEL and an ACK go the way of their INVITE. */
  #forward(connection, request) {
    const target = this.#contacts.get(userOf(request.uri)) ?? this.#users.get(userOf(request.uri));
    if (!target) return request.method === 'ACK' ? undefined : this.#answer(connection, request, 404);
    const via = VIA + md5(request.get('via').match(/branch=([^;,\s]+)/)?.[1] ?? branch()).slice(0, 16);
    this.#waiting.set(via, connection);
    target.send({ first: request.first, headers: [['Via', `SIP/2.0/WS edge.invalid;branch=${via}`], ...written(request)], body: request.body });
  }

  #back(reply) {
    const [ours, ...rest] = reply.all('via');
    const connection = this.#waiting.get(/branch=([^;,\s]+)/.exec(ours)?.[1]);
    if (!connection) return;
    const others = written(reply).filter(([name]) => name !== 'via');
    connection.send({ first: reply.first, headers: [...rest.map((via) => ['Via', via]), ...others], body: reply.body });
  }

  #answer(connection, request, status, headers = []) {
    const to = tagOf(request.get('to')) ? request.get('to') : `${request.get('to')};tag=${token(4)}`;
    const copied = ['from', 'call-id', 'cseq'].map((name) => [name, request.get(name)]);
    connection.send({ first: `SIP/2.0 ${status} Test`, headers: [...request.all('via').map((via) => ['Via', via]), ['To', to], ...copied, ...headers] });
  }

  #forget(connection) {
    for (const places of [this.#users, this.#contacts]) for (const [name, each] of places) if (each === connection) places.delete(name);
  }
}

const written = (message) => message.headers.filter(([name]) => name !== 'content-length');
