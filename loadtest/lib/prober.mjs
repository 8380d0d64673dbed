// One request at a time over UDP, as fast as the answers come: when does the edge begin to answer differently?
//
//   const prober = await Prober.open({host, port});
//   await prober.options('acme.example')                      the final status; null when none came in time
//   await prober.register({number, domain, password})         the final status of a REGISTER with digest; the nonce is
//                                                             kept and its count rises, so it is one request mostly
//   prober.close()
import dgram from 'node:dgram';
import { authorization, branch, build, challengeOf, parse, token } from '../../tests/lib/sip_message.mjs';

const PATIENCE_MS = 500;

export class Prober {
  #socket;
  #port;
  #cseq = 0;
  #call_id = token();
  #waiting = null; // {id, timer, resolve} of the request that is out
  #challenges = new Map(); // address of record -> {challenge, count}

  static async open({ host, port }) {
    const prober = new Prober();
    prober.#socket = dgram.createSocket('udp4');
    await new Promise((resolve) => prober.#socket.bind(0, '127.0.0.1', resolve));
    await new Promise((resolve, reject) => prober.#socket.connect(port, host, (error) => (error ? reject(error) : resolve())));
    prober.#port = prober.#socket.address().port;
    prober.#socket.on('message', (bytes) => prober.#received(bytes));
    prober.#socket.on('error', () => {}); // nobody listens yet: no answer comes, which is said by null
    return prober;
  }

  close() {
    this.#socket.close();
  }

  async options(domain, { patience_ms = PATIENCE_MS } = {}) {
    const answer = await this.#ask({ method: 'OPTIONS', uri: `sip:${domain}`, from: `sip:probe@${domain}`, to: `sip:${domain}`, patience_ms });
    return answer?.status ?? null;
  }

  async register({ number, domain, password, patience_ms = PATIENCE_MS }) {
    const aor = `sip:${number}@${domain}`;
    const uri = `sip:${domain}`;
    for (let attempt = 0; ; attempt++) {
      const held = this.#challenges.get(aor);
      const headers = [['Contact', `<sip:${number}@127.0.0.1:${this.#port}>`], ['Expires', 60]];
      if (held) headers.push(['Authorization', authorization(held.challenge, { method: 'REGISTER', uri, user: number, password, nc: ++held.count })]);
      const answer = await this.#ask({ method: 'REGISTER', uri, from: aor, to: aor, headers, patience_ms });
      if (answer?.status !== 401) return answer?.status ?? null;
      const challenge = challengeOf(answer.get('www-authenticate') ?? '');
      this.#challenges.set(aor, { challenge, count: 0 });
      const refused = held && challenge.stale !== 'true';
      if (refused || attempt > 1) return 401;
    }
  }

  #ask({ method, uri, from, to, headers = [], patience_ms }) {
    const id = branch();
    const bytes = build({ first: `${method} ${uri} SIP/2.0`, headers: [
      ['Via', `SIP/2.0/UDP 127.0.0.1:${this.#port};rport;branch=${id}`], ['Max-Forwards', 70], ['From', `<${from}>;tag=${this.#call_id}`],
      ['To', `<${to}>`], ['Call-ID', this.#call_id], ['CSeq', `${++this.#cseq} ${method}`], ...headers] });
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#done(null), patience_ms);
      this.#waiting = { id, timer, resolve };
      this.#socket.send(bytes, () => {});
    });
  }

  #done(answer) {
    const { timer, resolve } = this.#waiting;
    this.#waiting = null;
    clearTimeout(timer);
    resolve(answer);
  }

  #received(bytes) {
    const answer = parse(bytes);
    if (answer.status >= 200 && this.#waiting && answer.get('via').includes(this.#waiting.id)) this.#done(answer);
  }
}
