// Real phones: one baresip process each, controlled over its ctrl_tcp socket (netstrings of JSON).
//
//   const phones = new Phones({sip, folder, ports: [from, to]});
//   const phone = await phones.add({user: '100', domain: 'belavista.example', password, sound: 'a.wav'});
//   await phone.register();                       // rejects with the reply, e.g. "401 Unauthorized"
//   await phone.dial('sip:101@belavista.example');
//   await phone.event('CALL_ESTABLISHED');
//   phone.heard();                                // samples received in the last call, complete once it is closed
//   await phone.hears(sound, for_ms);             // how much of that call was this sound: as recognise(), with `heard`
//   await phones.close();                         // also after a failure: no process stays behind
//
// `sip` is {host, port}, `folder` gets one directory a phone (configuration, log, recordings), `ports` is the pool: each
// phone takes 20 (signalling, control, RTP), checked to be free and held, for files that run side by side have one pool. Events
// are consumed in order: event(type) gives the first one of that type that was not given before, with `at` (performance.now()). `answer` is 'auto' (then there is no
// CALL_INCOMING) or 'manual'. add({..., edge: belfry.edges[1]}) is a phone of another edge than `sip`; {instance: uuid} says
// in its REGISTERs which device it is (+sip.instance); {transport: 'tls', ca_file, edge}: over TLS, and it trusts these authorities
// alone; `srtp` is 'srtp-mand' for one that takes nothing but SDES; `codec`: the only one, PCMU or GSM.
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync, closeSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { readWav, recognise } from './audio.mjs';
import { hold, isFree } from './ports.mjs';
import { DeadlineError, until, within } from './until.mjs';

const PORTS_A_PHONE = 20;
const MODULES = [
  'module g711.so', 'module aufile.so', 'module sndfile.so',
  'module_tmp account.so', 'module_app menu.so', 'module_app ctrl_tcp.so',
];

export class PhoneError extends Error {
  name = 'PhoneError';
}

export class Phones {
  #sip;
  #folder;
  #next;
  #last;
  #all = []; // {phone, release}

  constructor({ sip, folder, ports: [from, to] }) {
    this.#sip = sip;
    this.#folder = folder;
    this.#next = from;
    this.#last = to;
  }

  /** A running phone that has its account but is not registered. */
  async add(options) {
    const { base, release } = await this.#ports();
    const phone = new Phone(this.#sip, path.join(this.#folder, `phone-${this.#all.length}-${options.user}`), base, options);
    this.#all.push({ phone, release });
    await phone.start();
    return phone;
  }

  async close() {
    await Promise.all(this.#all.splice(0).map(({ phone, release }) => phone.stop().finally(release)));
  }

  async #ports() {
    for (; this.#next + PORTS_A_PHONE <= this.#last + 1; this.#next += PORTS_A_PHONE) {
      const base = this.#next;
      const release = await hold(base + PORTS_A_PHONE - 1);
      if (release && (await isFree(base, this.#sip.host))) {
        this.#next += PORTS_A_PHONE;
        return { base, release };
      }
      release?.();
    }
    throw new PhoneError(`no free ports left up to ${this.#last} for another phone`);
  }
}

class Phone {
  #sip;
  #base;
  #options;
  #process;
  #control;
  #input = Buffer.alloc(0);
  #events = [];
  #replies = new Map();
  #wake = new Set();
  #token = 0;
  #gone = null;

  constructor(sip, folder, base, options) {
    this.#sip = sip;
    this.#base = base;
    this.#options = { transport: 'udp', sound: null, answer: 'auto', expires_s: 600, srtp: '', codec: 'PCMU', edge: { sip }, ...options };
    this.folder = folder;
    this.user = options.user;
    this.aor = `sip:${options.user}@${options.domain}`;
  }

  /** Where this phone listens for SIP. */
  get sip_port() {
    return this.#base;
  }

  async start() {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    for (const [name, text] of [['config', this.#config()], ['accounts', ''], ['contacts', ''], ['uuid', this.#options.instance ?? '']]) {
      writeFileSync(path.join(this.folder, name), text, { mode: 0o600 });
    }
    const log = openSync(path.join(this.folder, 'log'), 'w', 0o600);
    this.#process = spawn('baresip', ['-f', this.folder], { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#process.once('error', (error) => this.#end(`cannot start baresip: ${error.message}`));
    this.#process.once('exit', (code, signal) => this.#end(`baresip ended (${signal ?? code})`));
    this.#control = await until(() => this.#connect(), { what: `control socket of phone ${this.aor}`, deadline_ms: 15_000 });
    this.#control.on('data', (data) => this.#receive(data));
    this.#control.on('error', () => {});
  }

  #connect() {
    if (this.#gone) return Promise.reject(new PhoneError(`${this.#gone}: ${this.log().slice(-500)}`));
    return new Promise((resolve, reject) => {
      const socket = net.connect(this.#base + 2, '127.0.0.1', () => resolve(socket));
      socket.once('error', reject);
    });
  }

  #config() {
    const { host } = this.#sip;
    const lines = [
      'poll_method epoll',
      `sip_listen ${host}:${this.#base}`,
      `net_interface ${host}`,
      `ctrl_tcp_listen 127.0.0.1:${this.#base + 2}`,
      `rtp_ports ${this.#base + 4}-${this.#base + PORTS_A_PHONE - 2}`,
      'statmode_default off',
      'call_local_timeout 60',
      'call_max_calls 4',
      'audio_player aubridge,nil',
      'audio_alert aubridge,nil',
      'audio_buffer 20-160',
      'jitter_buffer_delay 1-5',
      `snd_path ${this.folder}`,
      'module_path /usr/lib/baresip/modules',
      ...MODULES,
    ];
    if (this.#options.instance) lines.push('module_tmp uuid.so');
    if (this.#options.srtp) lines.push('module srtp.so');
    if (this.#options.codec === 'GSM') lines.push('module gsm.so');
    if (this.#options.ca_file) lines.push(`sip_cafile ${this.#options.ca_file}`);
    if (this.#options.sound) lines.push(`audio_source aufile,${path.resolve(this.#options.sound)}`);
    return `${lines.join('\n')}\n`;
  }

  /** The account line; the password goes over the control socket, never into a file. */
  #account() {
    const { password, transport, answer, expires_s, auth_user, srtp, edge } = this.#options;
    const sip = transport === 'tls' ? edge.sips : edge.sip;
    return [
      `<${this.aor};transport=${transport}>`, `auth_user=${auth_user ?? this.user}`, `auth_pass=${password}`,
      `outbound="sip:${sip.host}:${sip.port};transport=${transport}"`, `regint=${expires_s}`, `answermode=${answer}`,
      `audio_codecs=${this.#options.codec}/8000/1`, 'ptime=20', `mediaenc=${srtp}`,
    ].join(';');
  }

  /** Registers and gives the REGISTER_OK event; an error carries the server's reply. Its `took_ms` starts at the request. */
  async register({ deadline_ms = 10_000 } = {}) {
    const start = performance.now();
    await this.command('uanew', this.#account());
    const event = await this.event(['REGISTER_OK', 'REGISTER_FAIL'], { deadline_ms });
    if (event.type === 'REGISTER_FAIL') throw Object.assign(new PhoneError(`${this.aor}: ${event.param}`), { reply: event.param });
    return { ...event, took_ms: event.at - start };
  }

  /** Deletes the account, which deregisters. */
  async deregister() {
    await this.command('uadel', this.aor);
  }

  dial(uri) {
    return this.command('dial', uri);
  }

  answer() {
    return this.command('accept');
  }

  /** A key pressed in a call: RFC 2833. */
  press(tone) {
    return this.command('sndcode', tone);
  }

  hangup() {
    return this.command('hangup');
  }

  hold() {
    return this.command('hold');
  }

  resume() {
    return this.command('resume');
  }

  /** One control command; resolves with the text of its response. */
  async command(command, params) {
    if (this.#gone) throw new PhoneError(`${this.aor}: ${this.#gone}`);
    const token = String(++this.#token);
    const text = JSON.stringify({ command, ...(params === undefined ? {} : { params }), token });
    const reply = new Promise((resolve) => this.#replies.set(token, resolve));
    this.#control.write(`${Buffer.byteLength(text)}:${text},`);
    const { ok, data } = await within(reply, { deadline_ms: 10_000, what: `${this.aor}: reply to ${command}` });
    if (!ok) throw new PhoneError(`${this.aor}: ${command} refused: ${data}`);
    return data;
  }

  /** The next event of one of these types. */
  async event(types, { deadline_ms = 10_000 } = {}) {
    const wanted = [types].flat();
    const deadline = performance.now() + deadline_ms;
    for (;;) {
      const index = this.#events.findIndex((event) => wanted.includes(event.type));
      if (index >= 0) return this.#events.splice(index, 1)[0];
      if (this.#gone) throw new PhoneError(`${this.aor}: ${this.#gone}`);
      let wake;
      const news = new Promise((resolve) => this.#wake.add((wake = resolve)));
      try {
        await within(news, { deadline_ms: Math.max(1, deadline - performance.now()) });
      } catch {
        throw new DeadlineError(`${this.aor}: event ${wanted.join(' or ')}`, deadline_ms);
      } finally {
        this.#wake.delete(wake);
      }
    }
  }

  /** Has an event of this type come that nobody took? */
  has(type) {
    return this.#events.some((event) => event.type === type);
  }

  forget() {
    this.#events.length = 0;
  }

  /** What was received in the newest call: samples; empty when there was none. */
  heard() {
    const files = readdirSync(this.folder).filter((name) => name.endsWith('-dec.wav')).map((name) => path.join(this.folder, name));
    if (files.length === 0) return new Int16Array(0);
    return readWav(files.sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs).at(-1));
  }

  /** `for_ms`: how long both could talk. */
  async hears(sound, for_ms) {
    let heard; // the recorder closes its file a moment after the call
    await until(() => (heard = this.heard()).length / 8 >= 0.97 * for_ms, { deadline_ms: 5_000 }).catch(() => {});
    return { heard, ...recognise(sound, heard, { expect_ms: 0.97 * for_ms }) };
  }

  log() {
    return readFileSync(path.join(this.folder, 'log'), 'utf8');
  }

  async stop() {
    this.#control?.destroy();
    const child = this.#process;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await within(ended, { deadline_ms: 5_000, what: 'end of baresip' }).catch(() => {
      child.kill('SIGKILL');
      return ended;
    });
  }

  #receive(data) {
    this.#input = Buffer.concat([this.#input, data]);
    for (;;) {
      const colon = this.#input.indexOf(':');
      if (colon < 0) return;
      const length = Number(this.#input.toString('latin1', 0, colon));
      if (this.#input.length < colon + 1 + length + 1) return;
      const message = JSON.parse(this.#input.toString('utf8', colon + 1, colon + 1 + length));
      this.#input = this.#input.subarray(colon + 1 + length + 1);
      this.#dispatch(message);
    }
  }

  #dispatch(message) {
    if (message.response) {
      this.#replies.get(message.token)?.(message);
      this.#replies.delete(message.token);
    } else if (message.event) {
      this.#events.push({ ...message, at: performance.now() });
      this.#wakeAll();
    }
  }

  #end(reason) {
    this.#gone = reason;
    for (const resolve of this.#replies.values()) resolve({ ok: false, data: reason });
    this.#replies.clear();
    this.#wakeAll();
  }

  #wakeAll() {
    for (const resolve of this.#wake) resolve();
  }
}
