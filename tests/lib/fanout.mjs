// Stands in for event-fanout on the bus (proto/belfry/event/v1): what call-control asks and tells of sleeping phones, seen from the
// other side, and answers that a test chooses.
//
//   const fanout = await Fanout.open(belfry)        event-fanout is stopped, we answer at its address
//   fanout.devices = [{id, number, device_id, prid}]        what PushDevices knows; id: newDevice()
//   fanout.asked                                    numbers that were asked for, one list a question
//   await fanout.wake(({number}) => ...)            the first Wake that fits; .end() a WakeEnd, .registered() a RegisterPush
//   fanout.forget()                                 what a test left; Wakes of devices that we do not know are not kept
//   fanout.hangs = true                             it answers nothing
//   await fanout.close()                            event-fanout is started again
//
// nng's REQ/REP: eight bytes of greeting, then messages with their length in front, and of each its first four bytes come back.
import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import net from 'node:net';
import { until } from './until.mjs';

const GREETING_REP = Buffer.from([0, 0x53, 0x50, 0, 0, 0x31, 0, 0]);
const WHY = ['', 'registered', 'timed out', 'answered', 'cancelled'];

export const newDevice = () => randomBytes(16).toString('hex');

export class Fanout {
  devices = [];
  asked = [];
  wakes = [];
  ends = [];
  registers = [];
  hangs = false;
  #server;
  #sockets = new Set();

  static async open(belfry) {
    const fanout = new Fanout();
    fanout.belfry = belfry;
    for (const { name } of belfry.fanouts) await belfry.stop(name);
    const path = belfry.fanouts[0].bus.replace('ipc://', '');
    fanout.path = path;
    rmSync(path, { force: true });
    fanout.#server = net.createServer((socket) => fanout.#serve(socket));
    await new Promise((resolve, reject) => fanout.#server.once('error', reject).listen(path, resolve));
    chmodSync(path, 0o777); // call-control may run as somebody else
    try {
      await until(() => fanout.#sockets.size >= belfry.controls.length, { what: 'call-control at our bus', deadline_ms: 20_000 });
    } catch (error) {
      await fanout.close();
      throw error;
    }
    return fanout;
  }

  forget() {
    Object.assign(this, { devices: [], asked: [], wakes: [], ends: [], registers: [], hangs: false });
  }

  async close() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.path, { force: true });
    for (const { name } of this.belfry.fanouts) await this.belfry.start(name);
  }

  wake(fits = () => true, limits = {}) {
    return until(() => this.wakes.find(fits), { what: 'a Wake', deadline_ms: 10_000, every_ms: 5, ...limits });
  }

  end(fits = () => true, limits = {}) {
    return until(() => this.ends.find(fits), { what: 'a WakeEnd', deadline_ms: 10_000, every_ms: 5, ...limits });
  }

  registered(fits = () => true, limits = {}) {
    return until(() => this.registers.find(fits), { what: 'a RegisterPush', deadline_ms: 10_000, every_ms: 5, ...limits });
  }

  #serve(socket) {
    let got = Buffer.alloc(0);
    let greeted = false;
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (bytes) => {
      got = Buffer.concat([got, bytes]);
      if (!greeted && got.length >= 8) {
        greeted = true;
        got = got.subarray(8);
      }
      while (greeted && got.length >= 9 && got.length >= 9 + Number(got.readBigUInt64BE(1))) {
        const end = 9 + Number(got.readBigUInt64BE(1));
        this.#answer(socket, got.subarray(9, end));
        got = got.subarray(end);
      }
    });
    socket.write(GREETING_REP);
  }

  #answer(socket, message) {
    if (this.hangs) return;
    const request = decode(message.subarray(4));
    const body = this.#carryOut(text(request, 1), decode(bytesOf(request, 6)));
    const reply = Buffer.concat([message.subarray(0, 4), encode([[1, body ? 0 : 3], [3, body ?? Buffer.alloc(0)]])]);
    const head = Buffer.alloc(9);
    head[0] = 1;
    head.writeBigUInt64BE(BigInt(reply.length), 1);
    socket.write(Buffer.concat([head, reply]));
  }

  #carryOut(method, body) {
    switch (method) {
      case 'PushDevices':
        return this.#pushDevices((body[2] ?? []).map(String));
      case 'RegisterPush':
        this.registers.push({ number: text(body, 2), provider: text(body, 3), prid: text(body, 4), param: text(body, 5), instance: text(body, 6) });
        return encode([[1, randomBytes(16)]]);
      case 'Publish':
        return this.#publish((body[1] ?? []).map(decode));
      default:
        return null;
    }
  }

  #pushDevices(numbers) {
    this.asked.push(numbers);
    return encode(this.devices.filter(({ number }) => numbers.includes(number)).map(({ id, number, device_id = '', prid = '', provider = 'apns' }) =>
      [1, encode([[1, Buffer.from(id, 'hex')], [2, number], [3, provider], [4, 'ios'], [5, device_id], [6, prid]])]));
  }

  #publish(entries) {
    for (const entry of entries) {
      const [wake, end] = [entry[2] && wakeOf(decode(entry[2][0])), entry[3] && endOf(decode(entry[3][0]))];
      if (wake && this.devices.some(({ id }) => id === wake.device)) this.wakes.push(wake);
      if (end && this.wakes.some(({ call, device }) => call === end.call && (device === end.device || !end.device))) this.ends.push(end);
    }
    return encode([[1, entries.length]]);
  }
}

const wakeOf = (wake) => ({
  call: hex(wake, 2), device: hex(wake, 3), number: text(wake, 4), caller: text(wake, 5), caller_name: text(wake, 6), callee: text(wake, 7),
  sip_call_id: text(wake, 8), token: text(wake, 9), at_ms: number(wake, 10), until_ms: number(wake, 11),
});
const endOf = (end) => ({ call: hex(end, 2), device: hex(end, 3), why: WHY[number(end, 5)] });

// ---- protobuf

const bytesOf = (message, field) => message[field]?.[0] ?? Buffer.alloc(0);
const text = (message, field) => bytesOf(message, field).toString();
const hex = (message, field) => bytesOf(message, field).toString('hex');
const number = (message, field) => Number(message[field]?.[0] ?? 0);

/** {field: [values]}: varints as BigInt, all else as bytes. */
function decode(bytes) {
  const message = {};
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (!(byte & 0x80)) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const values = (message[key >> 3] ??= []);
    const size = { 0: 0, 1: 8, 2: -1, 5: 4 }[key & 7];
    if (size === undefined) throw new Error(`wire type ${key & 7}`);
    if (size === 0) {
      values.push(varint());
      continue;
    }
    const length = size < 0 ? Number(varint()) : size;
    values.push(bytes.subarray(at, at + length));
    at += length;
  }
  return message;
}

function encode(fields) {
  const varint = (value) => {
    const bytes = [];
    for (let rest = BigInt(value); ; rest >>= 7n) {
      bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
      if (rest <= 0x7fn) return Buffer.from(bytes);
    }
  };
  return Buffer.concat(fields.map(([field, value]) => {
    if (typeof value === 'number') return Buffer.concat([varint(field << 3), varint(value)]);
    const bytes = Buffer.from(value);
    return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
  }));
}
