// App tokens, and what somebody who has none would try instead.
//
//   await tokenOf(tenant, '100', {expires_in_seconds})          POST .../tokens
//   await forgeries(belfry, token, {tenant: other, number})     {what it is: text}; all of them are to be refused
//   signed(header, claims)                                      by a key of our own
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';

const mine = generateKeyPairSync('ed25519');

export async function tokenOf(tenant, number, more = {}) {
  return (await tenant.api.ok('POST', `/v1/tenants/${tenant.slug}/tokens`, { number, ...more })).token;
}

const b64 = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

export function partsOf(token) {
  const [head, body, signature] = token.split('.');
  return { head, body, signature, header: JSON.parse(Buffer.from(head, 'base64url')), claims: JSON.parse(Buffer.from(body, 'base64url')) };
}

export function signed(header, claims) {
  const text = `${b64(header)}.${b64(claims)}`;
  return `${text}.${sign(null, Buffer.from(text), mine.privateKey).toString('base64url')}`;
}

export async function forgeries(belfry, token, { tenant, number }) {
  const { head, body, signature, header, claims } = partsOf(token);
  const [hex] = await belfry.sql('belfry_registry', `SELECT encode(public, 'hex') FROM registry.app_key WHERE kid = '${header.kid}'`);
  const raw = Buffer.from(hex, 'hex');
  const pem = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const hs256 = (secret) => {
    const text = `${b64({ ...header, alg: 'HS256' })}.${body}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  return {
    'alg none': `${b64({ ...header, alg: 'none' })}.${body}.`,
    'alg none with a signature': `${b64({ ...header, alg: 'none' })}.${body}.${signature}`,
    'HS256 with the public key': hs256(raw),
    'HS256 with the public key in PEM': hs256(pem),
    'another key under the same kid': signed(header, claims),
    'its own key in the header': signed({ ...header, jwk: mine.publicKey.export({ format: 'jwk' }) }, claims),
    "another tenant's claims": `${head}.${b64({ ...claims, tenant: tenant.id })}.${signature}`,
    'another number': `${head}.${b64({ ...claims, sub: number })}.${signature}`,
    'a longer life': `${head}.${b64({ ...claims, exp: claims.exp + 60 })}.${signature}`,
    'no signature': `${head}.${body}.`, rubbish: 'x', 'a long one': 'x'.repeat(1200),
  };
}
