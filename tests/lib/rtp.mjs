// Media without a phone: RTP packets that tell how long they travelled, and rtpengine's own view of a call.
//
//   const end = await RtpEnd.open();           a UDP port (end.host, end.port) that remembers what arrives
//   end.send(media, count, {gap_ms})           PCMU packets to {host, port}, every gap_ms
//   end.report(media, {round_trip_ms, lost, jitter_ms})    an RTCP sender report (RFC 3550, 6.4.1) on the same port (`rtcp_mux`), with a
//                                              block about the other's last one: the round trip looks that long, so many packets were lost, ...
//   end.received                               [{at, from, type, sequence, ssrc, payload}]
//   delays(sender, receiver)                   milliseconds each packet needed (both ends in this process)
//   await ng({host, port}, {command: 'query', 'call-id': id})      one command to rtpengine (JSON over UDP)
//   await relayed(belfry.relays, id)       the relay that has the call answers `query`; else the last one's error
import dgram from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';
import { token } from './sip_message.mjs';
import { within } from './until.mjs';

const SENDER_REPORT = 200;
const NTP_EPOCH_S = 2_208_988_800; // 1900 to 1970

export class RtpEnd {
  received = [];
  sent = new Map(); // sequence -> when
  rtcp_mux = true;
  #heard; // the other's last sender report: {at, ssrc, middle}, the middle 32 bits of its NTP time

  static async open({ host = '127.0.0.1' } = {}) {
    const end = new RtpEnd();
    end.socket = dgram.createSocket('udp4');
    end.socket.on('message', (bytes, from) => end.#receive(bytes, from));
    await new Promise((resolve, reject) => end.socket.once('error', reject).bind(0, host, resolve));
    end.socket.on('error', () => {});
    end.host = host;
    end.port = end.socket.address().port;
    end.ssrc = Buffer.from(token(4), 'hex').readUInt32BE();
    end.sequence = 1;
    return end;
  }

  async send({ host, port }, count = 1, { gap_ms = 20 } = {}) {
    for (let i = 0; i < count; i++) {
      const packet = Buffer.alloc(172, 0xff);
      packet.writeUInt16BE(0x8000, 0);
      packet.writeUInt16BE(this.sequence, 2);
      packet.writeUInt32BE(this.sequence * 160, 4);
      packet.writeUInt32BE(this.ssrc, 8);
      this.sent.set(this.sequence++, performance.now());
      this.socket.send(packet, port, host);
      if (gap_ms > 0) await delay(gap_ms);
    }
  }

  report({ host, port }, { round_trip_ms, lost = 0, jitter_ms = 0 }) {
    const blocks = this.#heard ? 1 : 0;
    const packet = Buffer.alloc(28 + 24 * blocks);
    packet.writeUInt32BE(((0x80 + blocks) << 24 | SENDER_REPORT << 16 | packet.length / 4 - 1) >>> 0, 0);
    packet.writeUInt32BE(this.ssrc, 4);
    const now_s = Date.now() / 1000 + NTP_EPOCH_S;
    packet.writeUInt32BE(Math.floor(now_s), 8);
    packet.writeUInt32BE(Math.floor((now_s % 1) * 2 ** 32), 12);
    packet.writeUInt32BE(this.sequence * 160, 16);
    packet.writeUInt32BE(this.sent.size, 20);
    packet.writeUInt32BE(this.sent.size * 160, 24);
    if (blocks) {
      const last = this.received.at(-1)?.sequence ?? 0;
      const delay_ms = Math.max(0, performance.now() - this.#heard.at - round_trip_ms);
      packet.writeUInt32BE(this.#heard.ssrc, 28);
      packet.writeUInt32BE(lost, 32); // of this interval: 0 in the first byte
      packet.writeUInt32BE(last, 36);
      packet.writeUInt32BE(jitter_ms * 8, 40);
      packet.writeUInt32BE(this.#heard.middle, 44);
      packet.writeUInt32BE(Math.round(delay_ms * 65.536), 48);
    }
    this.socket.send(packet, port, host);
  }

  close() {
    return new Promise((resolve) => this.socket.close(resolve));
  }

  #receive(bytes, from) {
    if (bytes.length < 12) return;
    if (bytes[1] === SENDER_REPORT) this.#heard = { at: performance.now(), ssrc: bytes.readUInt32BE(4), middle: bytes.readUInt32BE(10) };
    if (bytes[1] >= 192 && bytes[1] <= 223) return; // RTCP
    this.received.push({
      at: performance.now(), from, type: bytes[1] & 0x7f, sequence: bytes.readUInt16BE(2), ssrc: bytes.readUInt32BE(8), payload: bytes.subarray(12),
    });
  }
}

export function delays(sender, receiver) {
  return receiver.received
    .filter(({ sequence, ssrc }) => ssrc === sender.ssrc && sender.sent.has(sequence))
    .map(({ at, sequence }) => at - sender.sent.get(sequence));
}

export async function ng({ host = '127.0.0.1', port }, command, { deadline_ms = 5_000 } = {}) {
  const socket = dgram.createSocket('udp4');
  const cookie = token(6);
  let repeat;
  try {
    const answer = new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.on('message', (bytes) => {
        const text = bytes.toString();
        if (text.startsWith(`${cookie} `)) resolve(JSON.parse(text.slice(cookie.length + 1)));
      });
    });
    const send = () => socket.send(`${cookie} ${JSON.stringify(command)}`, port, host);
    repeat = setInterval(send, 200); // rtpengine answers a repeated cookie as it did before
    send();
    return await within(answer, { deadline_ms, what: `rtpengine's answer to ${command.command}` });
  } finally {
    clearInterval(repeat);
    socket.close();
  }
}

export async function relayed(relays, call_id) {
  let answer;
  for (const relay of relays) {
    answer = await ng(relay.ng, { command: 'query', 'call-id': call_id });
    if (answer.result !== 'error') return answer;
  }
  return answer;
}
