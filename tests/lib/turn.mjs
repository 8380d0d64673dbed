// A TURN client (RFC 8656) over UDP, TCP or TLS: enough to allocate, to relay, and to be refused.
//
//   const turn = await Turn.open({transport: 'tls', host, port, servername, ca, username, credential})
//   await turn.binding()                  {host, port} as the server sees us; no credential
//   await turn.allocate()                 {host, port} of the relay
//   await turn.permit(peer)               peer: {host, port}
//   turn.send(peer, data)                 through the relay
//   await turn.received()                 {peer, data}, the next that came through the relay
//   await turn.release()                  gives the allocation back
//   turn.close()
//
// What the server refuses is a TurnError with its code. A request waits DEADLINE_MS at most.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import net from 'node:net';
import tls from 'node:tls';
import { until } from './until.mjs';

const DEADLINE_MS = 20_000;
const AGAIN_MS = 500; // over UDP
const COOKIE = 0x2112a442;
const METHOD = { binding: 0x001, allocate: 0x003, refresh: 0x004, send: 0x016, data: 0x017, createPermission: 0x008 };
const ATTRIBUTE = { username: 0x06, integrity: 0x08, error: 0x09, lifetime: 0x0d, peer: 0x12, data: 0x13, realm: 0x14, nonce: 0x15, relayed: 0x16, transport: 0x19, mapped: 0x20 };
const UDP = Buffer.from([17, 0, 0, 0]);

export class TurnError extends Error {
  constructor(code, reason) {
    super(`${code} ${reason}`);
    this.code = code;
  }
}

/** Where a URL of `ice_servers` or of BELFRY_TURN is, and how; names of TURN are this machine's. */
export function turnPlace(url) {
  const [, scheme, servername, port, transport] = /^(turns?):([^:]+):(\d+)\?transport=(udp|tcp)$/.exec(url);
  return { transport: scheme === 'turns' ? 'tls' : transport, host: '127.0.0.1', port: Number(port), servername };
}

/** As coturn's use-auth-secret wants it. */
export const credentialOf = (secret, username) => createHmac('sha1', secret).update(username).digest('base64');

export class Turn {
  #line;
  #waiting = new Map(); // transaction -> resolve
  #relayed = [];
  #session = {}; // realm, nonce

  static async open({ username, credential, ...place }) {
    const turn = new Turn();
    Object.assign(turn, { username, credential });
    turn.#line = await (place.transport === 'udp' ? datagrams : stream)(place, (message) => turn.#take(message));
    return turn;
  }

  async binding() {
    return addressOf((await this.#ask(METHOD.binding)).get(ATTRIBUTE.mapped));
  }

  async allocate() {
    const answer = await this.#authenticated(METHOD.allocate, [[ATTRIBUTE.transport, UDP]]);
    return addressOf(answer.get(ATTRIBUTE.relayed));
  }

  async permit(peer) {
    await this.#authenticated(METHOD.createPermission, [[ATTRIBUTE.peer, addressBytes(peer)]]);
  }

  async release() {
    await this.#authenticated(METHOD.refresh, [[ATTRIBUTE.lifetime, Buffer.alloc(4)]]);
  }

  send(peer, data) {
    this.#line.write(message(METHOD.send | 0x010, randomBytes(12), [[ATTRIBUTE.peer, addressBytes(peer)], [ATTRIBUTE.data, Buffer.from(data)]]));
  }

  received() {
    return until(() => this.#relayed.shift(), { what: 'something through the relay', deadline_ms: DEADLINE_MS });
  }

  close() {
    this.#line.close();
  }

  /** The server says realm and nonce in its first refusal, and another nonce when that one is old. */
  async #authenticated(method, attributes) {
    for (let tries = 0; ; tries++) {
      const known = this.#session.nonce !== undefined && this.username !== undefined;
      const answer = await this.#ask(method, known ? [...attributes, [ATTRIBUTE.username, Buffer.from(this.username)], [ATTRIBUTE.realm, this.#session.realm], [ATTRIBUTE.nonce, this.#session.nonce]] : attributes, known && this.#key());
      if (!answer.has(ATTRIBUTE.error)) return answer;
      const error = errorOf(answer.get(ATTRIBUTE.error));
      const challenged = (error.code === 401 && !known) || error.code === 438;
      if (!challenged || tries === 2 || this.username === undefined) throw error;
      this.#session = { realm: answer.get(ATTRIBUTE.realm), nonce: answer.get(ATTRIBUTE.nonce) };
    }
  }

  #key() {
    return createHash('md5').update(`${this.username}:${this.#session.realm}:${this.credential}`).digest();
  }

  async #ask(method, attributes = [], key = null) {
    const transaction = randomBytes(12);
    const bytes = message(method, transaction, attributes, key);
    const answered = new Promise((resolve) => this.#waiting.set(transaction.toString('hex'), resolve));
    const again = setInterval(() => this.#line.repeats && this.#line.write(bytes), AGAIN_MS);
    let timer;
    const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`TURN: no answer to 0x${method.toString(16)} in ${DEADLINE_MS} ms`)), DEADLINE_MS)));
    try {
      this.#line.write(bytes);
      return await Promise.race([answered, late, this.#line.ended]);
    } finally {
      clearInterval(again);
      clearTimeout(timer);
      this.#waiting.delete(transaction.toString('hex'));
    }
  }

  #take(bytes) {
    const attributes = attributesOf(bytes);
    if (bytes.readUInt16BE(0) === (METHOD.data | 0x010)) this.#relayed.push({ peer: addressOf(attributes.get(ATTRIBUTE.peer)), data: attributes.get(ATTRIBUTE.data) });
    else this.#waiting.get(bytes.subarray(8, 20).toString('hex'))?.(attributes);
  }
}

// ---- lines: write(bytes), close(), ended (rejects when the other side ends), repeats (what is lost is sent again)

async function datagrams({ host, port }, take) {
  const socket = dgram.createSocket('udp4');
  socket.on('message', take);
  await new Promise((resolve, reject) => socket.once('error', reject).connect(port, host, resolve));
  return { repeats: true, write: (bytes) => socket.send(bytes), close: () => socket.close(), ended: new Promise((_, reject) => socket.once('error', reject)) };
}

async function stream({ transport, host, port, servername, ca, localAddress }, take) {
  const plain = net.connect({ host, port, localAddress });
  const socket = transport === 'tls' ? tls.connect({ socket: plain, servername, ca }) : plain;
  await new Promise((resolve, reject) => socket.once(transport === 'tls' ? 'secureConnect' : 'connect', resolve).once('error', reject));
  const ended = new Promise((_, reject) => socket.once('close', () => reject(new Error('the TURN server closed the connection'))));
  ended.catch(() => {});
  let have = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    have = Buffer.concat([have, bytes]);
    for (let size; have.length >= 20 && have.length >= (size = 20 + have.readUInt16BE(2)); have = have.subarray(size)) take(have.subarray(0, size));
  });
  return { repeats: false, write: (bytes) => socket.write(bytes), close: () => socket.destroy(), ended };
}

// ---- bytes

function message(type, transaction, attributes, key = null) {
  const body = Buffer.concat(attributes.map(([id, value]) => attribute(id, value)));
  const head = Buffer.alloc(20);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(body.length + (key ? 24 : 0), 2); // MESSAGE-INTEGRITY counts itself
  head.writeUInt32BE(COOKIE, 4);
  transaction.copy(head, 8);
  const bytes = Buffer.concat([head, body]);
  return key ? Buffer.concat([bytes, attribute(ATTRIBUTE.integrity, createHmac('sha1', key).update(bytes).digest())]) : bytes;
}

function attribute(id, value) {
  const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(value.length, 2);
  value.copy(bytes, 4);
  return bytes;
}

function attributesOf(bytes) {
  const found = new Map();
  for (let at = 20; at + 4 <= bytes.length; at += 4 + Math.ceil(bytes.readUInt16BE(at + 2) / 4) * 4) {
    found.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + bytes.readUInt16BE(at + 2)));
  }
  return found;
}

/** IPv4, xored with the cookie (RFC 8489, 14.2). */
function addressBytes({ host, port }) {
  const bytes = Buffer.alloc(8);
  bytes[1] = 1;
  bytes.writeUInt16BE(port ^ (COOKIE >>> 16), 2);
  const address = host.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  bytes.writeUInt32BE((address ^ COOKIE) >>> 0, 4);
  return bytes;
}

function addressOf(bytes) {
  const address = (bytes.readUInt32BE(4) ^ COOKIE) >>> 0;
  return { host: [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.'), port: bytes.readUInt16BE(2) ^ (COOKIE >>> 16) };
}

const errorOf = (bytes) => new TurnError(bytes[2] * 100 + bytes[3], bytes.subarray(4).toString());
