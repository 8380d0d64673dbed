// What every end-to-end test starts from: the instance, its operator, tenants and user agents that clean up by themselves.
//
//   const world = new World(t?)              t: a test context; what is opened is closed after it (or by world.close())
//   const tenant = await world.tenant({numbers: ['100'], limits: {...}})     known to the edge; see newTenant() in api.mjs
//   const ua = await world.ua(tenant, '100', {transport: 'tcp'})             or 'tls'; not registered; ua.register() does it;
//                                                                            {edge: belfry.edges[1]} is the edge it talks to
//   const [a, b] = await world.pair(tenant)                                  100 and 101, both registered, and call-control knows it
//   await world.phones().add(...)                                            baresip phones
//   const call = await world.call(a, b, {...})                               an answered call, both ends
//   await world.reaches(a, b)                                                does a call get through?
//
// Every user agent has its own source address, so that what makes the edge angry at one does not disturb another test: all
// of 127/8 is this machine.
import { randomInt } from 'node:crypto';
import path from 'node:path';
import { Api, newTenant } from './api.mjs';
import { CallBook } from './calls.mjs';
import { Instance } from './instance.mjs';
import { Phones } from './phones.mjs';
import { Ua, known } from './sip.mjs';
import { sdp, token } from './sip_message.mjs';
import { until } from './until.mjs';

/** An address of this machine that nobody else uses. */
export function source() {
  return `127.${[randomInt(20, 220), randomInt(0, 256), randomInt(1, 255)].join('.')}`;
}

export class World {
  #closers = [];
  #phones;

  constructor(t) {
    this.belfry = Instance.test();
    this.operator = new Api(this.belfry.api, this.belfry.operator_key);
    this.output = path.join(process.env.BELFRY_TEST_OUTPUT ?? path.join(this.belfry.run, 'output'), token(3));
    t?.after(() => this.close());
  }

  async tenant(options) {
    const tenant = await newTenant(this.operator, options);
    await Promise.all(this.belfry.edges.map(({ sip }) => known(sip, tenant.domain, { host: source() })));
    return tenant;
  }

  async ua(tenant, number, { edge = this.belfry.edges[0], ...options } = {}) {
    const server = options.transport === 'tls' ? edge.sips : edge.sip;
    const ua = await Ua.open({ server, ca: this.belfry.ca, user: number, domain: tenant.domain, password: tenant.passwords[number], host: source(), ...options });
    this.onClose(() => ua.close());
    return ua;
  }

  async pair(tenant, options = {}) {
    const pair = [await this.ua(tenant, '100', options.caller), await this.ua(tenant, '101', options.callee)];
    const book = new CallBook(this.operator, tenant);
    for (const ua of pair) await book.registered(ua);
    return pair;
  }

  /** What a call comes to first: {request} when it rings at `callee`, {reply} when it is refused before. */
  async rings(call, callee) {
    let reply = null;
    call.final.then((each) => (reply = each), () => {});
    await until(() => reply || callee.has('INVITE'), { what: `a call of ${call.ua.aor} rings or is refused`, deadline_ms: 30_000, every_ms: 2 });
    return callee.has('INVITE') ? { request: await callee.incoming('INVITE') } : { reply };
  }

  /** Does a call get through to `callee`? It is ended again. */
  async reaches(caller, callee) {
    const call = caller.invite(callee.user, { body: sdp() });
    const { request } = await this.rings(call, callee);
    if (!request) return false;
    callee.reply(request, 486);
    return (await call.final).status === 486;
  }

  /** An answered call: {call, request, dialog, answer}; `dialog` is the callee's. */
  async call(caller, callee, { body = sdp(), answer_body = sdp({ port: 11 }), target = callee.user } = {}) {
    const call = caller.invite(target, { body });
    const { request, reply } = await this.rings(call, callee);
    if (reply) throw new Error(`INVITE to ${target}: ${reply.status} ${reply.reason}`);
    callee.reply(request, 200, { body: answer_body });
    const answer = await call.final;
    call.ack();
    await callee.incoming('ACK');
    return { call, request, answer, dialog: callee.dialog(request) };
  }

  phones() {
    if (!this.#phones) {
      this.#phones = new Phones({ sip: this.belfry.sip, folder: this.output, ports: [this.belfry.port(400), this.belfry.port(799)] });
      this.onClose(() => this.#phones.close());
    }
    return this.#phones;
  }

  onClose(close) {
    this.#closers.push(close);
  }

  async close() {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}

/** Ends a call from the side of `dialog`; `other` answers the BYE. */
export async function hangUp(dialog, other) {
  const bye = dialog.ask('BYE');
  other.reply(await other.incoming('BYE'), 200);
  return bye;
}
