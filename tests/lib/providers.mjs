// Expo, Google and Apple for tests: one HTTPS server that speaks HTTP/2 and 1.1, checks all that the real ones check, and
// answers as it is told.
//
//   const providers = await Providers.open()        at BELFRY_PUSH_EXPO_URL's port, with the certificate of tests/e2e/run
//   providers.apns(team)                            {team_id, key_id, private_key, topic}: credentials for REST, which it knows
//   providers.fcm(project)                          a service account's file
//   providers.got                                   what was taken: [{provider, token, data, headers, at, ...}], in order; at: performance.now()
//   providers.faults                                what was wrong with requests; a test that ends with any has failed
//   providers.answer = ({provider, token, data, nth}) => ...   undefined: success; else {status, body, headers} or, for Expo, {ticket};
//                                                   `hang` never answers
//   providers.receipts = (id) => ({status: 'ok'})
//   await providers.push((each) => ...)             until one was taken for which this is true
import { generateKeyPairSync, randomUUID, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import { until } from './until.mjs';

export const hang = Symbol('hang');
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';

/** The claims of a JWT that this key signed by this algorithm, and nothing else. */
function verified(jwt, alg, keys) {
  const [head, body, signature] = jwt.split('.');
  const header = JSON.parse(Buffer.from(head, 'base64url'));
  const claims = JSON.parse(Buffer.from(body, 'base64url'));
  const key = keys.get(header.kid);
  if (header.alg !== alg) throw new Error(`alg is ${header.alg}`);
  if (!key) throw new Error(`kid ${header.kid} is none`);
  const dsa = alg === 'ES256' ? { dsaEncoding: 'ieee-p1363' } : {};
  if (!verify('sha256', Buffer.from(`${head}.${body}`), { key: key.public_key, ...dsa }, Buffer.from(signature, 'base64url'))) throw new Error('the signature is wrong');
  return { header, claims, key };
}

export class Providers {
  #server;
  #sessions = new Set();
  #streams = new Set();
  #apns_keys = new Map();
  #google_keys = new Map();
  #access = new Map(); // access token -> {project, until_ms}
  got = [];
  faults = [];
  tokens_given = 0; // of Google
  bearers = new Set(); // of Apple, seen
  batches = []; // of Expo: how many messages each
  life_s = 3600;
  answer = () => undefined;
  receipts = () => ({ status: 'ok' });
  token_answer = () => undefined;

  static async open() {
    const providers = new Providers();
    const { hostname, port } = new URL(process.env.BELFRY_PUSH_EXPO_URL);
    const file = process.env.BELFRY_TEST_PUSH;
    providers.#server = http2.createSecureServer({ key: readFileSync(`${file}.key`), cert: readFileSync(`${file}.pem`), allowHTTP1: true });
    providers.#server.on('session', (session) => {
      providers.#sessions.add(session);
      session.on('close', () => providers.#sessions.delete(session)).on('error', () => {});
    });
    providers.#server.on('request', (request, response) => providers.#take(request, response));
    await new Promise((resolve, reject) => providers.#server.once('error', reject).listen(Number(port), hostname, resolve));
    return providers;
  }

  apns(team = 'TEAM123456', { topic = 'com.example.app', ...more } = {}) {
    const key_id = randomUUID().slice(0, 8).toUpperCase();
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#apns_keys.set(key_id, { public_key: publicKey, team });
    return { team_id: team, key_id, private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }), topic, ...more };
  }

  fcm(project = `project-${randomUUID().slice(0, 8)}`) {
    const private_key_id = randomUUID();
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const client_email = `push@${project}.iam.gserviceaccount.com`;
    this.#google_keys.set(private_key_id, { public_key: publicKey, client_email, project });
    return {
      type: 'service_account', project_id: project, private_key_id, client_email, client_id: '1',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }), token_uri: 'https://evil.example/token', universe_domain: 'googleapis.com',
    };
  }

  push(wanted, { deadline_ms = 20_000, what = 'a push at its provider' } = {}) {
    return until(() => this.got.find(wanted), { what, deadline_ms, every_ms: 5 });
  }

  /** From here on Google knows none of the access tokens it gave. */
  forget_access() {
    this.#access.clear();
  }

  async close() {
    for (const session of this.#sessions) session.destroy();
    for (const response of this.#streams) response.destroy?.();
    this.#server.close();
  }

  async #take(request, response) {
    const chunks = [];
    this.#streams.add(response);
    response.on('error', () => {}).on('close', () => this.#streams.delete(response));
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString('utf8');
    let answer;
    try {
      if (request.method !== 'POST') throw new Error(`method ${request.method}`);
      answer = await this.#route(request, body);
    } catch (error) {
      this.faults.push(`${request.url}: ${error.message}`);
      answer = { status: 400, body: { reason: 'BadRequest', error: error.message } };
    }
    if (answer === hang || response.destroyed) return;
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.body === undefined ? '' : typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  }

  #route(request, body) {
    const path = request.url;
    if (path.startsWith('/3/device/') || path.startsWith('/sandbox/3/device/')) return this.#apple(request, path.split('/').pop(), body);
    if (path === '/token') return this.#google_token(request, body);
    if (path.startsWith('/fcm/v1/projects/')) return this.#google(request, body);
    if (path === '/--/api/v2/push/send') return this.#expo(request, body);
    if (path === '/--/api/v2/push/getReceipts') return this.#expo_receipts(request, body);
    throw new Error('no such path');
  }

  /** What is told to tests; gives what they want to answer. */
  async #told(push) {
    const nth = this.got.filter(({ token }) => token === push.token).length + 1;
    this.got.push({ ...push, at: performance.now() });
    return this.answer({ ...push, nth });
  }

  async #apple(request, token, body) {
    const { headers } = request;
    if (request.httpVersion !== '2.0') throw new Error(`HTTP ${request.httpVersion}`);
    if (!/^([0-9a-f]{2})+$/i.test(token)) throw new Error('token is no hex');
    const payload = JSON.parse(body);
    const { claims, key } = verified((headers.authorization ?? '').replace(/^bearer /i, ''), 'ES256', this.#apns_keys);
    if (claims.iss !== key.team) throw new Error(`iss is ${claims.iss}`);
    if (Math.abs(claims.iat - Date.now() / 1000) > 3600) throw new Error(`iat is ${claims.iat}`);
    this.bearers.add(headers.authorization);
    const voip = headers['apns-topic'].endsWith('.voip');
    if (headers['apns-push-type'] !== (voip ? 'voip' : 'alert')) throw new Error(`push type is ${headers['apns-push-type']}`);
    if (headers['apns-priority'] !== '10') throw new Error(`priority is ${headers['apns-priority']}`);
    if (!UUID.test(headers['apns-id'])) throw new Error(`apns-id is ${headers['apns-id']}`);
    if (headers['apns-collapse-id'] !== payload.call_id) throw new Error('collapse-id is not the call');
    const left_s = Number(headers['apns-expiration']) - Date.now() / 1000;
    if (!(left_s > -2 && left_s < 660)) throw new Error(`expires in ${left_s} s`);
    if (typeof payload.aps !== 'object' || (!voip && !payload.aps.alert)) throw new Error('aps is wrong');
    if (body.length > (voip ? 5120 : 4096)) throw new Error('payload is too large');
    const wanted = await this.#told({ provider: 'apns', token, data: payload, headers, sandbox: request.url.startsWith('/sandbox') });
    return wanted ?? { status: 200, headers: { 'apns-id': headers['apns-id'] } };
  }

  #google_token(request, body) {
    const form = new URLSearchParams(body);
    if (request.headers['content-type'] !== 'application/x-www-form-urlencoded') throw new Error('is no form');
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') throw new Error(`grant_type is ${form.get('grant_type')}`);
    const wanted = this.token_answer();
    if (wanted) return wanted;
    const { claims, key } = verified(form.get('assertion'), 'RS256', this.#google_keys);
    if (claims.iss !== key.client_email || claims.scope !== SCOPE || claims.aud !== process.env.BELFRY_PUSH_FCM_TOKEN_URL) throw new Error('iss, scope or aud is wrong');
    if (claims.exp - claims.iat > 3600 || Math.abs(claims.iat - Date.now() / 1000) > 300) throw new Error('iat or exp is wrong');
    const access_token = `ya29.${randomUUID()}`;
    this.#access.set(access_token, key.project);
    this.tokens_given += 1;
    return { body: { access_token, expires_in: this.life_s, token_type: 'Bearer' } };
  }

  async #google(request, body) {
    const project = this.#access.get((request.headers.authorization ?? '').replace(/^Bearer /, ''));
    if (!project) return { status: 401, body: { error: { code: 401, message: 'Request had invalid authentication credentials.', status: 'UNAUTHENTICATED' } } };
    if (request.url !== `/fcm/v1/projects/${project}/messages:send`) throw new Error('another project');
    const { message } = JSON.parse(body);
    if (Object.values(message.data).some((value) => typeof value !== 'string')) throw new Error('data are not all texts');
    if (message.android.priority !== 'HIGH' || !/^\d+s$/.test(message.android.ttl)) throw new Error('android is wrong');
    const wanted = await this.#told({ provider: 'fcm', token: message.token, data: message.data, headers: request.headers, project });
    return wanted ?? { body: { name: `projects/${project}/messages/0:${randomUUID()}` } };
  }

  async #expo(request, body) {
    const messages = JSON.parse(body);
    if (!Array.isArray(messages) || messages.length < 1 || messages.length > 100) throw new Error('must be 1 to 100 messages');
    this.batches.push(messages.length);
    const tickets = [];
    for (const each of messages) {
      if (!/^Expo(nent)?PushToken\[.+\]$/.test(each.to) || each.priority !== 'high' || typeof each.ttl !== 'number') throw new Error('a message is wrong');
      const wanted = await this.#told({ provider: 'expo', token: each.to, data: each.data, message: each, headers: request.headers });
      if (wanted && !wanted.ticket) return wanted;
      tickets.push(wanted?.ticket ?? { status: 'ok', id: randomUUID() });
    }
    return { body: { data: tickets } };
  }

  #expo_receipts(request, body) {
    const { ids } = JSON.parse(body);
    if (!Array.isArray(ids) || ids.length > 300) throw new Error('ids are wrong');
    return { body: { data: Object.fromEntries(ids.map((each) => [each, this.receipts(each)]).filter(([, receipt]) => receipt)) } };
  }
}
