// SIP texts: building, parsing, digest. No I/O; what a test wants wrong it can make wrong.
//
// build({first, headers: [[name, value], ...], body})  bytes of a message; Content-Length is added unless given
// parse(bytes)            {method, uri} or {status, reason}, plus headers [[name, value]], body; get(name), all(name)
// frames(bytes)           {messages, rest}: cuts a TCP stream by Content-Length
// uriOf(value), tagOf(value)   the URI and the tag of a From, To, Contact or Record-Route value
// authorization(challenge, {method, uri, user, password, nc})   the value of a (Proxy-)Authorization header, MD5
// sdp({host, port, direction, sdes})  an offer or answer of one PCMU stream; `sdes`: protected, with a key for each of these ciphers
import { createHash, randomBytes } from 'node:crypto';

const COMPACT = { v: 'via', f: 'from', t: 'to', i: 'call-id', m: 'contact', l: 'content-length', c: 'content-type', k: 'supported' };

export const token = (bytes = 8) => randomBytes(bytes).toString('hex');
export const branch = () => `z9hG4bK${token()}`;
export const md5 = (text) => createHash('md5').update(text).digest('hex');

export function build({ first, headers, body = '' }) {
  const bytes = Buffer.from(body);
  const all = headers.some(([name]) => name.toLowerCase() === 'content-length')
    ? headers
    : [...headers, ['Content-Length', bytes.length]];
  const head = [first, ...all.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head), bytes]);
}

export function parse(bytes) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) throw new Error('a SIP message without an end of its headers');
  const [first, ...lines] = bytes.toString('utf8', 0, end).replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    return [COMPACT[name] ?? name, line.slice(colon + 1).trim()];
  });
  const all = (name) => headers.filter(([key]) => key === name.toLowerCase()).map(([, value]) => value);
  const message = { first, headers, all, get: (name) => all(name)[0], body: bytes.subarray(end + 4), bytes };
  const status = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(first);
  if (status) return { ...message, status: Number(status[1]), reason: status[2] };
  const [method, uri] = first.split(' ');
  return { ...message, method, uri };
}

export function frames(bytes) {
  const messages = [];
  let rest = bytes;
  for (;;) {
    while (rest.length >= 2 && rest[0] === 13 && rest[1] === 10) rest = rest.subarray(2); // keep-alives
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return { messages, rest };
    const length = Number(/^(?:content-length|l)[ \t]*:[ \t]*(\d+)/im.exec(rest.toString('latin1', 0, end + 2))?.[1] ?? 0);
    if (rest.length < end + 4 + length) return { messages, rest };
    messages.push(rest.subarray(0, end + 4 + length));
    rest = rest.subarray(end + 4 + length);
  }
}

const unquoted = (value) => value.replace(/"(?:[^"\\]|\\.)*"/g, ''); // a name may hold anything
export const uriOf = (value) => /<([^>]+)>/.exec(unquoted(value))?.[1] ?? value.split(';')[0].trim();
export const tagOf = (value) => /;\s*tag=([^;>\s]+)/.exec(unquoted(value))?.[1];

/** Splits a header value at the commas that separate elements (not those inside <> or quotes). */
export function elements(value) {
  return value.match(/(?:"[^"]*"|<[^>]*>|[^,"<])+/g)?.map((part) => part.trim()) ?? [];
}

export function challengeOf(value) {
  const found = value.replace(/^Digest\s+/i, '').matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g);
  return Object.fromEntries([...found].map(([, name, quoted, plain]) => [name.toLowerCase(), quoted ?? plain]));
}

export function authorization(challenge, { method, uri, user, password, nc = 1, cnonce = token(), realm = challenge.realm }) {
  const count = nc.toString(16).padStart(8, '0');
  const ha1 = md5(`${user}:${realm}:${password}`);
  const ha2 = md5(`${method}:${uri}`);
  const qop = challenge.qop ? 'auth' : null;
  const response = md5(qop ? `${ha1}:${challenge.nonce}:${count}:${cnonce}:auth:${ha2}` : `${ha1}:${challenge.nonce}:${ha2}`);
  const fields = [`username="${user}"`, `realm="${realm}"`, `nonce="${challenge.nonce}"`, `uri="${uri}"`, `response="${response}"`, 'algorithm=MD5'];
  if (qop) fields.push('qop=auth', `nc=${count}`, `cnonce="${cnonce}"`);
  if (challenge.opaque) fields.push(`opaque="${challenge.opaque}"`);
  return `Digest ${fields.join(', ')}`;
}

export function sdp({ host = '127.0.0.1', port = 9, direction = 'sendrecv', version = 1, rtcp_mux = false, sdes = [] } = {}) {
  const keys = sdes.map((cipher, i) => `a=crypto:${i + 1} ${cipher} inline:${randomBytes(30).toString('base64')}`);
  return [
    'v=0', `o=- 1 ${version} IN IP4 ${host}`, 's=-', `c=IN IP4 ${host}`, 't=0 0',
    `m=audio ${port} RTP/${sdes.length > 0 ? 'SAVP' : 'AVP'} 0`, 'a=rtpmap:0 PCMU/8000', ...keys, ...(rtcp_mux ? ['a=rtcp-mux'] : []), `a=${direction}`, '',
  ].join('\r\n');
}

/** Where an SDP wants its audio: {host, port, direction}, its `profile` and the ciphers that it has keys for. */
export function mediaOf(body) {
  const text = body.toString();
  return {
    host: /^c=IN IP4 (\S+)/m.exec(text)?.[1],
    port: Number(/^m=audio (\d+)/m.exec(text)?.[1]),
    direction: /^a=(sendrecv|sendonly|recvonly|inactive)/m.exec(text)?.[1] ?? 'sendrecv',
    profile: /^m=audio \d+ (\S+)/m.exec(text)?.[1],
    sdes: [...text.matchAll(/^a=crypto:\d+ (\S+)/gm)].map(([, cipher]) => cipher),
  };
}
