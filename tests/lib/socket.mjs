// A WebSocket client (RFC 6455) that can set headers, read slowly and vanish: Node 20 has none of its own that can.
//
//   const socket = await Socket.open(url, {headers, protocols})     Refused (status, body, headers) when there is no 101
//                                  wss:// takes {tls_options}; {text: (message) => ...} takes messages in place of socket.got
//   socket.got                     messages, parsed from JSON, in order; socket.raw: their texts
//   await socket.message(test)     the first that passes, also one that came before
//   socket.closed                  null, or {code, reason}; code 1006: without a close frame
//   await socket.close()           an orderly end;   socket.drop(): the connection is gone at once
//   socket.pause(), socket.resume()
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { until } from './until.mjs';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TEXT = 1, CLOSE = 8, PING = 9, PONG = 10;

export class Refused extends Error {
  constructor(answer, body) {
    super(`${answer.statusCode} ${body.slice(0, 300)}`);
    this.status = answer.statusCode;
    this.headers = answer.headers;
    this.body = /\bjson\b/.test(answer.headers['content-type'] ?? '') ? JSON.parse(body) : body;
  }
}

export class Socket {
  got = [];
  raw = [];
  pings = 0;
  closed = null;
  #tcp;
  #pending = Buffer.alloc(0);
  #text;

  static open(url, { headers = {}, protocols, tls_options = {}, text } = {}) {
    const key = randomBytes(16).toString('base64');
    const { promise, resolve, reject } = deferred();
    const request = (url.startsWith('wss:') ? https : http).request(url.replace(/^ws/, 'http'), {
      ...tls_options,
      headers: {
        connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': key,
        ...(protocols ? { 'sec-websocket-protocol': protocols.join(', ') } : {}), ...headers,
      },
    });
    request.setTimeout(20_000, () => request.destroy(new Error(`no answer from ${url}`)));
    request.on('error', reject);
    request.on('response', (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part)).on('end', () => reject(new Refused(answer, Buffer.concat(parts).toString()))).on('error', reject);
    });
    request.on('upgrade', (answer, tcp, head) => {
      const expected = createHash('sha1').update(key + GUID).digest('base64');
      if (answer.headers['sec-websocket-accept'] !== expected) reject(new Error('Sec-WebSocket-Accept is wrong'));
      else resolve(new Socket(tcp, head, answer.headers['sec-websocket-protocol'], text));
    });
    request.end();
    return promise;
  }

  constructor(tcp, head, protocol, text) {
    this.#tcp = tcp;
    this.#text = text;
    this.protocol = protocol;
    tcp.setTimeout(0);
    tcp.on('data', (bytes) => this.#take(bytes));
    tcp.on('close', () => (this.closed ??= { code: 1006, reason: '' }));
    tcp.on('error', () => {});
    if (head.length) this.#take(head);
  }

  #take(bytes) {
    this.#pending = this.#pending.length ? Buffer.concat([this.#pending, bytes]) : bytes;
    for (let frame; (frame = this.#frame()); ) this.#got(frame);
  }

  #frame() {
    const bytes = this.#pending;
    if (bytes.length < 2) return null;
    if ((bytes[0] & 0xf0) !== 0x80) throw new Error('a fragment or a reserved bit: not expected from this server');
    if (bytes[1] & 0x80) throw new Error('a server does not mask');
    const short = bytes[1] & 0x7f;
    const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (bytes.length < 2 + extra) return null;
    const length = extra === 2 ? bytes.readUInt16BE(2) : extra === 8 ? Number(bytes.readBigUInt64BE(2)) : short;
    if (bytes.length < 2 + extra + length) return null;
    this.#pending = bytes.subarray(2 + extra + length);
    return { opcode: bytes[0] & 0x0f, payload: bytes.subarray(2 + extra, 2 + extra + length) };
  }

  #got({ opcode, payload }) {
    if (opcode === TEXT) {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(payload);
      if (this.#text) return this.#text(text);
      this.raw.push(text);
      this.got.push(JSON.parse(text));
    } else if (opcode === PING) {
      this.pings += 1;
      this.#send(PONG, payload);
    } else if (opcode === CLOSE) {
      this.closed ??= { code: payload.length >= 2 ? payload.readUInt16BE(0) : 1005, reason: payload.subarray(2).toString() };
      this.#send(CLOSE, payload.subarray(0, 2));
      this.#tcp.end();
    } else if (opcode !== PONG) {
      throw new Error(`frame of kind ${opcode}`);
    }
  }

  #send(opcode, payload) {
    const mask = randomBytes(4);
    const head = payload.length < 126 ? Buffer.from([0x80 | opcode, 0x80 | payload.length]) : Buffer.from([0x80 | opcode, 0xfe, payload.length >> 8, payload.length & 0xff]);
    if (!this.#tcp.destroyed) this.#tcp.write(Buffer.concat([head, mask, Buffer.from(payload.map((byte, i) => byte ^ mask[i % 4]))]));
  }

  send(text) {
    this.#send(TEXT, Buffer.from(text));
  }

  message(test, options) {
    return until(() => this.got.find(test), { what: 'a message', ...options });
  }

  end(options) {
    return until(() => this.closed, { what: 'the socket is closed', ...options });
  }

  async close() {
    if (this.closed) return;
    this.#send(CLOSE, Buffer.from([0x03, 0xe8]));
    await this.end();
    this.#tcp.destroy();
  }

  drop() {
    this.#tcp.destroy();
  }

  pause() {
    this.#tcp.pause();
  }

  resume() {
    this.#tcp.resume();
  }
}

function deferred() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
