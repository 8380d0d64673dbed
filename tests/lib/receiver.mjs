// A webhook receiver: a tenant's backend that remembers what it got and answers as it is told.
//
//   const receiver = await Receiver.open()            receiver.url('/path')
//   receiver.answer = (request) => 503                 a status, {status, headers, body}, or a promise of one; 204 by default
//   receiver.got                                       [{path, headers, body (text), event (parsed), at_ms}]
//   await receiver.event((event) => ...)               until an event comes for which this is true: its request
//   verified(request, secret)                          by node's own crypto: is one of the signatures made with this secret?
import { createHmac, timingSafeEqual } from 'node:crypto';
import http from 'node:http';
import { until } from './until.mjs';

export class Receiver {
  #server;
  got = [];
  answer = () => 204;

  static async open({ host = '127.0.0.1' } = {}) {
    const receiver = new Receiver();
    receiver.#server = http.createServer((request, response) => receiver.#take(request, response));
    await new Promise((resolve, reject) => receiver.#server.once('error', reject).listen(0, host, resolve));
    return receiver;
  }

  url(path = '/') {
    const { address, port } = this.#server.address();
    return `http://${address}:${port}${path}`;
  }

  async #take(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString('utf8');
    const taken = { path: request.url, method: request.method, headers: request.headers, body, event: JSON.parse(body), at_ms: Date.now(), socket: request.socket };
    this.got.push(taken);
    const answer = await this.answer(taken);
    if (response.destroyed) return;
    const { status, headers = {}, body: text = '' } = typeof answer === 'number' ? { status: answer } : answer;
    response.writeHead(status, headers).end(text);
  }

  event(wanted, { deadline_ms = 20_000 } = {}) {
    return until(() => this.got.find((request) => wanted(request.event, request)), { what: 'an event at the receiver', deadline_ms, every_ms: 5 });
  }

  close() {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }
}

export function verified({ headers, body }, secret) {
  const parts = headers['belfry-signature'].split(',').map((part) => part.split('='));
  const [, t] = parts.find(([name]) => name === 't');
  const mac = createHmac('sha256', secret).update(`${t}.${body}`).digest();
  return parts.filter(([name]) => name === 'v1').some(([, hex]) => hex.length === 64 && timingSafeEqual(Buffer.from(hex, 'hex'), mac));
}
