// A small SIP user agent for what phones and SIPp cannot do: precise, odd and hostile messages over UDP, TCP or TLS.
//
//   const ua = await Ua.open({server: {host, port}, user: '100', domain: 'acme.example', password, transport: 'udp'});
//   await ua.register();                       // the final reply, after answering a challenge
//   const call = ua.invite('101', {body});     // a Call: await call.final, call.ack(), call.cancel(), call.bye()
//   const request = await ua.incoming('INVITE');
//   ua.reply(request, 200, {body});            // then ua.dialog(request) for requests inside it
//   ua.send(bytes)                             // anything at all
//   {transport: 'wss', server: {url}}          // a browser's way in, by the gateway; its certificate is not looked at
//   ua.connection                              // the socket of TCP or TLS. For TLS open() wants {ca}, and takes {server_name, tls_options}
//   await ua.close();
//   await known(server, domain)                // until the edge has heard of a domain
//
// Requests over UDP are sent again until something answers (T1 500 ms, doubling); repeated incoming requests are
// answered with what was answered before and are not given twice. An ACK to a refused INVITE goes by itself.
import dgram from 'node:dgram';
import net from 'node:net';
import tls from 'node:tls';
import { authorization, branch, build, challengeOf, elements, frames, parse, tagOf, token, uriOf } from './sip_message.mjs';
import { Socket } from './socket.mjs';
import { DeadlineError, until, within } from './until.mjs';

const T1_MS = 500;
const FINAL_MS = 10_000;

export class Ua {
  #transport;
  #pending = new Map(); // branch + method -> transaction
  #inbox = [];
  #wake = new Set();
  #answered = new Map(); // branch + method of an incoming request -> our last reply
  #cseq = 0;
  #nonces = new Map(); // nonce -> how often used
  #tag = token(4);

  static async open(options) {
    const ua = new Ua();
    Object.assign(ua, { transport: 'udp', port: 0, password: '', call_id: token(), headers: [], ...options });
    ua.host ??= '127.0.0.1';
    ua.aor = `sip:${ua.user}@${ua.domain}`;
    ua.#transport = await TRANSPORTS[ua.transport](ua, (bytes) => ua.#receive(bytes));
    ua.port = ua.#transport.port;
    ua.contact ??= `<sip:${ua.user}@${ua.host}:${ua.port}${ua.transport === 'udp' ? '' : `;transport=${ua.transport}`}>`;
    return ua;
  }

  close() {
    for (const { request, reject } of this.#pending.values()) reject(new Error(`${this.aor}: closed before its ${request.method} was answered`));
    return this.#transport.close();
  }

  get connection() {
    return this.#transport.socket;
  }

  /** Has the server closed a TCP or TLS connection? */
  get closed() {
    return this.#transport.closed();
  }

  send(bytes) {
    this.#transport.send(bytes);
  }

  /** A request's parts as this agent would send it; change them at will before transact(). */
  compose(method, { uri = `sip:${this.domain}`, to = this.aor, headers = [], body = '', call_id = this.call_id, from_tag = this.#tag,
    to_tag = null, cseq = ++this.#cseq, from = this.aor, display = '', via_branch = branch(), routes = [] } = {}) {
    const all = [
      ['Via', `SIP/2.0/${this.transport.toUpperCase()} ${this.host}:${this.port};rport;branch=${via_branch}`],
      ...routes.map((route) => ['Route', route]),
      ['Max-Forwards', 70],
      ['From', `${display}<${from}>;tag=${from_tag}`],
      ['To', `<${to}>${to_tag ? `;tag=${to_tag}` : ''}`],
      ['Call-ID', call_id],
      ['CSeq', `${cseq} ${method}`],
      ...headers,
      ...this.headers,
    ];
    if (body && !headers.some(([name]) => name === 'Content-Type')) all.push(['Content-Type', 'application/sdp']);
    return { method, uri, branch: via_branch, cseq, call_id, from_tag, headers: all, body, options: arguments[1] ?? {} };
  }

  /** Sends a request and gives its final reply, with `provisional` replies and `took_ms`. */
  transact(request, { deadline_ms = FINAL_MS, on_provisional } = {}) {
    const key = `${request.branch} ${request.method}`;
    const bytes = encode(request);
    const start = performance.now();
    const answer = new Promise((resolve, reject) => {
      const transaction = { request, provisional: [], on_provisional, quiet: true, reject };
      transaction.resolve = (reply) => resolve({ ...reply, provisional: transaction.provisional, took_ms: performance.now() - start });
      this.#pending.set(key, transaction);
      this.send(bytes);
      if (this.transport === 'udp') this.#repeat(transaction, bytes, T1_MS);
    });
    return within(answer, { deadline_ms, what: `${this.aor}: final reply to ${request.method}` }).finally(() => this.#forget(key));
  }

  /** The same, answering one challenge with this agent's password. */
  async ask(method, options = {}, limits = {}) {
    const request = this.compose(method, options);
    const reply = await this.transact(request, limits);
    if (reply.status !== 401 && reply.status !== 407) return Object.assign(reply, { request });
    const again = this.authorize(request, reply);
    return Object.assign(await this.transact(again, limits), { request: again, challenge: reply });
  }

  /** The request again with credentials for the challenge in `reply`, a new branch and CSeq. */
  authorize(request, reply, { user = this.auth_user ?? this.user, password = this.password, ...rest } = {}) {
    const name = reply.status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
    const challenge = challengeOf(reply.get(name));
    const nc = (this.#nonces.get(challenge.nonce) ?? 0) + 1;
    this.#nonces.set(challenge.nonce, nc);
    const value = authorization(challenge, { method: request.method, uri: request.uri, user, password, nc, ...rest });
    const header = [reply.status === 401 ? 'Authorization' : 'Proxy-Authorization', value];
    const options = { ...request.options, headers: [...(request.options.headers ?? []), header], call_id: request.call_id,
      from_tag: request.from_tag, uri: request.uri, cseq: undefined, via_branch: undefined };
    return this.compose(request.method, options);
  }

  register({ expires_s = 600, contact = this.contact, headers = [], ...limits } = {}) {
    return this.ask('REGISTER', { headers: [['Contact', contact], ['Expires', expires_s], ...headers] }, limits);
  }

  /** Starts a call to a number of the own domain, or to a SIP URI. */
  invite(target, { body = '', headers = [], deadline_ms = 30_000, ...options } = {}) {
    const uri = target.startsWith('sip:') ? target : `sip:${target}@${this.domain}`;
    return new Call(this, { uri, to: uri, call_id: token(), from_tag: token(4), body, headers: [['Contact', this.contact], ...headers], ...options }, deadline_ms);
  }

  /** The next incoming request of this method. */
  async incoming(method, { deadline_ms = FINAL_MS } = {}) {
    const deadline = performance.now() + deadline_ms;
    for (;;) {
      const index = this.#inbox.findIndex((request) => request.method === method);
      if (index >= 0) return this.#inbox.splice(index, 1)[0];
      let wake;
      const news = new Promise((resolve) => this.#wake.add((wake = resolve)));
      try {
        await within(news, { deadline_ms: Math.max(1, deadline - performance.now()) });
      } catch {
        throw new DeadlineError(`${this.aor}: incoming ${method}`, deadline_ms);
      } finally {
        this.#wake.delete(wake);
      }
    }
  }

  /** Has a request of this method come that nobody took? */
  has(method) {
    return this.#inbox.some((request) => request.method === method);
  }

  reply(request, status, { reason = 'Test', body = '', type = 'application/sdp', headers = [], to_tag = this.#tag } = {}) {
    const to = request.get('To');
    const all = [
      ...request.all('Via').map((value) => ['Via', value]),
      ...request.all('Record-Route').map((value) => ['Record-Route', value]),
      ['From', request.get('From')],
      ['To', tagOf(to) || status === 100 ? to : `${to};tag=${to_tag}`],
      ['Call-ID', request.get('Call-ID')],
      ['CSeq', request.get('CSeq')],
      ['Contact', this.contact],
      ...(body ? [['Content-Type', type]] : []),
      ...headers,
    ];
    const bytes = build({ first: `SIP/2.0 ${status} ${reason}`, headers: all, body });
    this.#answered.set(keyOf(request), bytes);
    this.send(bytes);
  }

  /** The dialog an incoming INVITE made, once this agent has answered it. */
  dialog(request) {
    return new Dialog(this, {
      call_id: request.get('Call-ID'), target: uriOf(request.get('Contact')), local_tag: this.#tag, remote_tag: tagOf(request.get('From')),
      local: uriOf(request.get('To')), remote: uriOf(request.get('From')), routes: request.all('Record-Route').flatMap(elements),
    });
  }

  #repeat(transaction, bytes, wait_ms) {
    transaction.timer = setTimeout(() => {
      if (!transaction.quiet) return;
      this.send(bytes);
      this.#repeat(transaction, bytes, Math.min(4_000, wait_ms * 2));
    }, wait_ms);
  }

  #forget(key) {
    clearTimeout(this.#pending.get(key)?.timer);
    this.#pending.delete(key);
  }

  #receive(bytes) {
    let message;
    try {
      message = parse(bytes);
    } catch {
      return; // keep-alives
    }
    if (message.status) this.#response(message);
    else this.#request(message);
  }

  #response(message) {
    const via_branch = /branch=([^;\s]+)/.exec(message.get('Via') ?? '')?.[1];
    const method = message.get('CSeq')?.split(' ')[1];
    const transaction = this.#pending.get(`${via_branch} ${method}`);
    if (!transaction) return;
    if (method !== 'INVITE' || message.status >= 100) transaction.quiet = false;
    if (message.status < 200) {
      transaction.provisional.push(message);
      transaction.on_provisional?.(message);
      return;
    }
    if (method === 'INVITE' && message.status >= 300) this.#ackRefusal(transaction.request, message);
    transaction.resolve(message);
  }

  #ackRefusal(request, reply) {
    const headers = request.headers
      .filter(([name]) => !['Contact', 'Content-Type', 'Content-Length', 'To', 'CSeq'].includes(name))
      .concat([['To', reply.get('To')], ['CSeq', `${request.cseq} ACK`]]);
    this.send(build({ first: `ACK ${request.uri} SIP/2.0`, headers }));
  }

  #request(message) {
    const before = this.#answered.get(keyOf(message));
    if (before !== undefined) {
      if (before) this.send(before);
      return;
    }
    this.#answered.set(keyOf(message), null);
    this.#inbox.push(message);
    for (const resolve of this.#wake) resolve();
  }
}

/** A call this agent makes: its INVITE, and the dialog when it is answered. */
export class Call {
  constructor(ua, options, deadline_ms) {
    this.ua = ua;
    this.provisional = [];
    this.reply = null; // the final one, once it is there
    this.request = ua.compose('INVITE', options);
    this.final = this.#run(deadline_ms);
    this.final.catch(() => {}); // whoever awaits it sees it
  }

  async #run(deadline_ms) {
    const limits = { deadline_ms, on_provisional: (reply) => this.provisional.push(reply) };
    let reply = await this.ua.transact(this.request, limits);
    if (reply.status === 407 || reply.status === 401) {
      this.challenge = reply;
      this.request = this.ua.authorize(this.request, reply);
      reply = await this.ua.transact(this.request, limits);
    }
    if (reply.status < 300) this.#answered(reply);
    return (this.reply = reply);
  }

  #answered(reply) {
    this.dialog = new Dialog(this.ua, {
      call_id: this.request.call_id, target: uriOf(reply.get('Contact')), local_tag: this.request.from_tag, remote_tag: tagOf(reply.get('To')),
      local: this.ua.aor, remote: uriOf(reply.get('To')), routes: reply.all('Record-Route').flatMap(elements).reverse(), cseq: this.request.cseq,
    });
  }

  get call_id() {
    return this.request.call_id;
  }

  /** Waits for a provisional reply with this status. */
  async ringing(status = 180, { deadline_ms = FINAL_MS } = {}) {
    return until(() => this.provisional.find((reply) => reply.status === status), { deadline_ms, what: `${this.ua.aor}: ${status}` });
  }

  ack() {
    this.ua.send(encode(this.dialog.compose('ACK', { cseq: this.request.cseq })));
  }

  cancel() {
    const { request, ua } = this;
    const keep = ['Via', 'Max-Forwards', 'From', 'To', 'Call-ID', 'Route'];
    const headers = request.headers.filter(([name]) => keep.includes(name)).concat([['CSeq', `${request.cseq} CANCEL`]]);
    return ua.transact({ ...request, method: 'CANCEL', headers, body: '' });
  }

  bye() {
    return this.dialog.ask('BYE');
  }
}

/** Requests inside an established dialog. */
export class Dialog {
  constructor(ua, state) {
    Object.assign(this, { cseq: 1000, ...state });
    this.ua = ua;
  }

  compose(method, { cseq = ++this.cseq, headers = [], body = '', ...rest } = {}) {
    return this.ua.compose(method, {
      uri: this.target, to: this.remote, from: this.local, call_id: this.call_id, from_tag: this.local_tag, to_tag: this.remote_tag,
      routes: this.routes, cseq, body, headers: body || method === 'INVITE' ? [['Contact', this.ua.contact], ...headers] : headers, ...rest,
    });
  }

  /** A request and its final reply; an INVITE's 2xx is acknowledged here. A challenge is answered. */
  async ask(method, options = {}) {
    let request = this.compose(method, options);
    let reply = await this.ua.transact(request);
    if (reply.status === 401 || reply.status === 407) {
      this.cseq += 1;
      request = this.ua.authorize(request, reply);
      reply = await this.ua.transact(request);
    }
    if (method === 'INVITE' && reply.status < 300) this.ua.send(encode(this.compose('ACK', { cseq: request.cseq })));
    return reply;
  }
}

/** Waits until the edge knows a domain: a change by REST needs a moment to get there. */
export async function known(server, domain, { host, deadline_ms = 20_000 } = {}) {
  const ua = await Ua.open({ server, user: 'probe', domain, host });
  try {
    await until(async () => (await ua.transact(ua.compose('OPTIONS'))).status !== 404, { what: `${domain} at the edge`, deadline_ms });
  } finally {
    await ua.close();
  }
}

export const encode = ({ method, uri, headers, body }) => build({ first: `${method} ${uri} SIP/2.0`, headers, body });

const keyOf = (request) => `${/branch=([^;\s]+)/.exec(request.get('Via') ?? '')?.[1]} ${request.method} ${request.get('CSeq')}`;

async function openUdp({ server, host, port }, on_message) {
  const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  socket.on('message', on_message);
  await new Promise((resolve, reject) => socket.once('error', reject).bind(port, host, resolve));
  socket.on('error', () => {});
  let open = true;
  return {
    port: socket.address().port,
    send: (bytes) => open && socket.send(bytes, server.port, server.host),
    closed: () => !open,
    close: () => new Promise((resolve) => {
      if (!open) return resolve();
      open = false;
      socket.close(resolve);
    }),
  };
}

async function connect({ server, host, port }) {
  const socket = net.connect({ host: server.host, port: server.port, localAddress: host, localPort: port || undefined });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

async function openTcp(ua, on_message) {
  return stream(await connect(ua), on_message);
}

/** `ca` must have signed the server's certificate; what name it is for, a test asks. */
async function openTls(ua, on_message) {
  const socket = tls.connect({ socket: await connect(ua), ca: ua.ca, servername: ua.server_name ?? ua.domain, checkServerIdentity: () => undefined, ...ua.tls_options });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return stream(socket, on_message);
}

/** RFC 7118: a message a frame, and no address of one's own. */
async function openWss(ua, on_message) {
  ua.contact ??= `<sip:${ua.user}@${token(5)}.invalid;transport=ws>`;
  const socket = await Socket.open(ua.server.url, { protocols: ['sip'], tls_options: { rejectUnauthorized: false }, text: (text) => on_message(Buffer.from(text)) });
  return { socket, port: 0, send: (bytes) => socket.send(bytes.toString()), closed: () => socket.closed !== null, close: () => socket.drop() };
}

const TRANSPORTS = { udp: openUdp, tcp: openTcp, tls: openTls, wss: openWss };

function stream(socket, on_message) {
  socket.setNoDelay(true);
  socket.on('error', () => {});
  let input = Buffer.alloc(0);
  socket.on('data', (data) => {
    const { messages, rest } = frames(Buffer.concat([input, data]));
    input = rest;
    messages.forEach(on_message);
  });
  let closed = false;
  socket.once('close', () => (closed = true));
  return {
    socket,
    port: socket.localPort,
    send: (bytes) => socket.writable && socket.write(bytes),
    closed: () => closed,
    close: () => socket.destroy(),
  };
}
