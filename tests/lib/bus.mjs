// The bus from outside: what another process of Belfry would say to a service. nng's REQ over a unix socket, and as much of
// protobuf as our messages need.
//
//   const bus = await Bus.open('ipc:///path/to.bus')       an address of `BELFRY_..._BUS`
//   await bus.call('Publish', message([...]))             the reply's body as a reader, or an error with .status (bf_err's number)
//   bus.close()
//
//   message([1, 'text'], [2, uuid_bytes], [3, 42], [4, [m1, m2]])   fields: text, bytes or message, number, repeated
//   fields(bytes)                                          Map of field number -> [values], bytes or numbers
//   id('018f...')                                          a UUID's 16 bytes; uuid(bytes) the other way
import net from 'node:net';
import { within } from './until.mjs';

const REQ = Buffer.from([0, 0x53, 0x50, 0, 0, 0x30, 0, 0]);
const DEADLINE_MS = 10_000;

function varint(value) {
  const bytes = [];
  let left = BigInt(value);
  do {
    const seven = Number(left & 0x7fn);
    left >>= 7n;
    bytes.push(left ? seven | 0x80 : seven);
  } while (left);
  return Buffer.from(bytes);
}

function field([number, value]) {
  if (Array.isArray(value)) return Buffer.concat(value.map((each) => field([number, each])));
  if (typeof value === 'number' || typeof value === 'bigint') return Buffer.concat([varint(number << 3), varint(value)]);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

export const message = (...given) => Buffer.concat(given.filter(([, value]) => value !== undefined).map(field));

export function fields(bytes) {
  const found = new Map();
  let at = 0;
  const next = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (!(byte & 0x80)) return Number(value);
    }
  };
  while (at < bytes.length) {
    const key = next();
    const kind = key & 7;
    if (kind !== 0 && kind !== 2) throw new Error(`protobuf: wire type ${kind}`);
    let value = next();
    if (kind === 2) value = bytes.subarray(at, (at += value));
    found.set(key >> 3, [...(found.get(key >> 3) ?? []), value]);
  }
  return found;
}

export const id = (text) => Buffer.from(text.replaceAll('-', ''), 'hex');
export const uuid = (bytes) => Buffer.from(bytes).toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

export class Bus {
  #socket;
  #waiting = new Map();
  #heard = Buffer.alloc(0);
  #shaken = false;
  #last = 0;

  static async open(address) {
    const bus = new Bus();
    bus.#socket = net.connect(address.split(' ')[0].replace(/^ipc:\/\//, ''));
    await within(new Promise((resolve, reject) => bus.#socket.once('connect', resolve).once('error', reject)), { what: `the bus ${address}`, deadline_ms: DEADLINE_MS });
    bus.#socket.on('data', (bytes) => bus.#hear(bytes)).on('close', () => bus.#ended()).on('error', () => {});
    bus.#socket.write(REQ);
    return bus;
  }

  #hear(bytes) {
    this.#heard = Buffer.concat([this.#heard, bytes]);
    if (!this.#shaken && this.#heard.length >= 8) {
      this.#shaken = true;
      this.#heard = this.#heard.subarray(8);
    }
    while (this.#shaken && this.#heard.length >= 9) {
      const length = Number(this.#heard.readBigUInt64BE(1));
      if (this.#heard.length < 9 + length) return;
      const body = this.#heard.subarray(9, 9 + length);
      this.#heard = this.#heard.subarray(9 + length);
      this.#waiting.get(body.readUInt32BE(0))?.resolve(body.subarray(4));
    }
  }

  #ended() {
    for (const { reject } of this.#waiting.values()) reject(new Error('the bus was closed'));
  }

  async call(method, body, { deadline_ms = DEADLINE_MS } = {}) {
    const number = (0x80000000 | ++this.#last) >>> 0;
    const envelope = message([1, method], [2, `test-${this.#last}`], [3, Date.now() + deadline_ms], [6, body]);
    const head = Buffer.alloc(13);
    head.writeUInt8(1, 0);
    head.writeBigUInt64BE(BigInt(envelope.length + 4), 1);
    head.writeUInt32BE(number, 9);
    const answered = new Promise((resolve, reject) => this.#waiting.set(number, { resolve, reject }));
    this.#socket.write(Buffer.concat([head, envelope]));
    try {
      const reply = fields(await within(answered, { what: `an answer to ${method}`, deadline_ms }));
      const status = reply.get(1)?.[0] ?? 0;
      if (status) throw Object.assign(new Error(`${method}: ${reply.get(2)?.[0] ?? 'no reason'}`), { status });
      return fields(reply.get(3)?.[0] ?? Buffer.alloc(0));
    } finally {
      this.#waiting.delete(number);
    }
  }

  close() {
    this.#socket.destroy();
  }
}
