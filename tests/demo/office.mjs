// The demo's tenants and their phones, and how its figures are written.
//
//   await onboard(demo), await registerPhones(demo)     sections; demo.tenants[] have {id, slug, domain, phones: {'100', '101'}}
//   await passwordOf(api, tenant, number, kind)         a new extension's password, or a new one for one that is there
//   await softphone(demo, tenant, number, password, {transport, answer, edge, instance})
//                                                       a baresip that plays a sound of its own, `sound`; not registered
//   await heard(demo, tenant, [one, other], talked_ms)  checks that each heard the other
//   timeline(demo, lines), quote(demo, text)            prints it below a check
import path from 'node:path';
import { melody, sparkline, writeWav } from '../lib/audio.mjs';
import { known } from '../lib/sip.mjs';
import { elapsed } from '../lib/until.mjs';

export const TENANTS = [
  { slug: 'belavista', name: 'Condomínio Bela Vista', domain: 'belavista.example' },
  { slug: 'acme', name: 'Acme Ltd.', domain: 'acme.example' },
];
const NUMBERS = ['100', '101'];
const SOUND_S = 30;
const MATCH_MIN = 0.95; // of the 20 ms steps of a whole talk
const QUOTE_WIDTH = 110;

export const ms = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
const percent = (value) => `${(100 * value).toFixed(1)} %`;

// ---- tenants -----------------------------------------------------------------------------------------------------------

export async function onboard(demo) {
  demo.report.section('Tenants onboard by REST, both with extensions 100 and 101');
  for (const wanted of TENANTS) {
    const time = elapsed();
    const tenant = await tenantOf(demo.api, wanted);
    for (const number of NUMBERS) tenant.passwords[number] = await passwordOf(demo.api, tenant, number);
    demo.tenants.push(tenant);
    for (const { sip } of demo.belfry.edges) await known(sip, tenant.domain);
    demo.report.check(true, `${tenant.slug}  ${tenant.domain}  100 101`, `${tenant.created ? 'created' : 'there already, new passwords'} in ${ms(time())}`, { took_ms: time() });
  }
}

async function tenantOf(api, { slug, name, domain }) {
  const made = await api.post('/v1/tenants', { slug, name, domains: [domain] });
  if (made.status !== 201 && made.status !== 409) throw new Error(`POST /v1/tenants: ${made.status} ${made.text}`);
  const tenant = made.status === 201 ? made.body : await api.ok('GET', `/v1/tenants/${slug}`);
  if (tenant.status === 'suspended') await api.ok('PATCH', `/v1/tenants/${slug}`, { status: 'active' });
  return { id: tenant.id, slug, domain, created: made.status === 201, passwords: {}, phones: {} };
}

export async function passwordOf(api, tenant, number, kind = 'softphone') {
  const base = `/v1/tenants/${tenant.id}/extensions`;
  const made = await api.post(base, { number, kind });
  if (made.status === 201) return made.body.password;
  if (made.status !== 409) throw new Error(`POST ${base}: ${made.status} ${made.text}`);
  return (await api.ok('POST', `${base}/${number}/password`, {})).password;
}

// ---- phones --------------------------------------------------------------------------------------------------------------

export async function registerPhones(demo) {
  demo.report.section('Phones register: baresip, digest authentication');
  for (const tenant of demo.tenants) {
    for (const number of NUMBERS) {
      const { kind, ...options } = phoneOf(demo, tenant, number);
      const phone = await softphone(demo, tenant, number, tenant.passwords[number], options);
      const { took_ms } = await phone.register();
      tenant.phones[number] = phone;
      demo.report.check(true, `${number}@${tenant.domain} over ${kind}`, `registered in ${ms(took_ms)}`, { took_ms });
    }
  }
}

/** Over UDP who calls; over TCP, and in the other tenant over TLS with protected media, who is called. */
function phoneOf({ belfry }, { slug }, number) {
  if (number === '100') return { kind: 'udp', transport: 'udp', answer: 'auto' };
  if (slug !== 'acme') return { kind: 'tcp', transport: 'tcp' };
  return { kind: 'tls, with SRTP', transport: 'tls', srtp: 'srtp-mand', edge: belfry.edges[0], ca_file: belfry.env.BELFRY_CA_FILE };
}

let sounds = 0;

export async function softphone({ phones, folder }, tenant, number, password, options) {
  const seed = ++sounds;
  const sound = melody(seed, SOUND_S);
  const file = path.join(folder, `sound-${seed}.wav`);
  writeWav(file, sound);
  return Object.assign(await phones.add({ user: number, domain: tenant.domain, password, sound: file, answer: 'manual', ...options }), { sound });
}

export async function heard({ report }, tenant, [one, other], talked_ms) {
  for (const [hears, speaks] of [[other, one], [one, other]]) {
    const { heard: samples, ...seen } = await hears.hears(speaks.sound, talked_ms);
    report.check(seen.match >= MATCH_MIN, `${tenant.slug}: ${hears.user} hears ${speaks.user}`,
      `${sparkline(samples, 24)}  ${percent(seen.match)} of ${(seen.heard_ms / 1000).toFixed(1)} s is that sound, ${seen.level_db.toFixed(0)} dB, ${seen.dropouts} drop-outs`,
      { match: seen.match, heard_ms: seen.heard_ms, level_db: seen.level_db, dropouts: seen.dropouts });
  }
}

export function quote({ report }, text) {
  for (let at = 0; at < text.length; at += QUOTE_WIDTH) report.dim(`        ${text.slice(at, at + QUOTE_WIDTH)}`);
}

export function timeline({ report }, lines) {
  const start = Date.parse(lines[0].time);
  for (const { time, kind, number, code, text, edge } of lines) {
    report.dim(`        ${String(Date.parse(time) - start).padStart(6)} ms  ${(edge ?? '').padEnd(7)} ${[kind, number, code, text].filter((each) => each !== null).join(' ')}`);
  }
}
