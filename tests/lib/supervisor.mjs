// The watcher of an instance's programs, asked by its unix socket (XML-RPC): in 10 ms, where each supervisorctl is a Python of half a second.
//
//   const supervisor = Supervisor.of(conf)           by supervisord.conf, which says where its socket is
//   await supervisor.programs()                      [{name, state, pid}]; pid: null when it does not run
//   await supervisor.pid('kamailio')                 also while it starts or stops; null when it does not run, or is no program
//   await supervisor.stop('kamailio'), .start(...)   wait until it is done; also true of what has stopped or runs already
//
// What it refuses is a Fault with its code, and names the program.
import { request } from 'node:http';
import { readFileSync } from 'node:fs';

const BAD_NAME = 10;
const ALREADY_STARTED = 60;
const NOT_RUNNING = 70;
const DEADLINE_MS = 60_000;

class Fault extends Error {
  constructor(what, { faultCode, faultString }) {
    super(`${what}: ${faultString}`);
    this.name = 'Fault';
    this.code = Number(faultCode);
  }
}

export class Supervisor {
  #socket;

  static of(conf) {
    const [, socket] = /^file = (.+)$/m.exec(readFileSync(conf, 'utf8'));
    return new Supervisor(socket);
  }

  constructor(socket) {
    this.#socket = socket;
  }

  async programs() {
    return (await this.#ask('getAllProcessInfo')).map(({ name, statename, pid }) => ({ name, state: statename, pid: statename === 'RUNNING' ? Number(pid) : null }));
  }

  async pid(program) {
    const [info] = await this.#unless(BAD_NAME, 'getProcessInfo', program);
    return Number(info?.pid) || null;
  }

  async stop(program) {
    await this.#unless(NOT_RUNNING, 'stopProcess', program);
  }

  async start(program) {
    await this.#unless(ALREADY_STARTED, 'startProcess', program);
  }

  /** Nothing when it answers with this fault. */
  async #unless(code, method, program) {
    try {
      return await this.#ask(method, program);
    } catch (error) {
      if (error.code !== code) throw error;
      return [];
    }
  }

  /** The structs of its answer. */
  async #ask(method, ...words) {
    const params = words.map((word) => `<param><value>${word}</value></param>`).join('');
    const what = `supervisor: ${[method, ...words].join(' ')}`;
    const answer = await post(this.#socket, `<methodCall><methodName>supervisor.${method}</methodName><params>${params}</params></methodCall>`)
      .catch((error) => { throw new Error(`${what}: ${error.message}`, { cause: error }); });
    const found = structs(answer);
    if (answer.includes('<fault>')) throw new Fault(what, found[0]);
    return found;
  }
}

function post(socketPath, body) {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'text/xml', 'content-length': Buffer.byteLength(body) };
    const asked = request({ socketPath, path: '/RPC2', method: 'POST', headers, agent: false, signal: AbortSignal.timeout(DEADLINE_MS) }, (reply) => {
      const parts = [];
      reply.on('data', (part) => parts.push(part)).once('error', reject).once('end', () => {
        const text = Buffer.concat(parts).toString();
        if (reply.statusCode === 200) resolve(text);
        else reject(new Error(`${reply.statusCode} ${text}`));
      });
    });
    asked.once('error', reject).end(body);
  });
}

/** None of them holds another, and their values are texts and numbers. */
function structs(xml) {
  return xml.split('<struct>').slice(1).map((struct) => Object.fromEntries(
    [...struct.matchAll(/<name>(\w+)<\/name>\s*<value><\w+>([^<]*)</g)].map(([, name, value]) => [name, value])));
}
