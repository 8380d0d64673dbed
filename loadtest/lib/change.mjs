// From a REST call to the edge behaving by it. The clock starts before the request is written and stops with the first
// SIP answer that is the new one; one probe is out at a time.
import { Api } from '../../tests/lib/api.mjs';
import { quantile } from './load.mjs';
import { Prober } from './prober.mjs';

const LATE_MS = 5_000;
const PASSWORD = 'bench-password-1';

export async function measureChange({ report, instance, quick }) {
  report.section('From a REST call to the edge behaving by it');
  const api = new Api(instance.api, instance.operator_key);
  const tenant = await api.ok('POST', '/v1/tenants', {
    slug: 'bench-change', name: 'changes', domains: ['change.bench.test'], limits: { requests_per_minute: 100_000 },
  });
  const prober = await Prober.open(instance.sip);
  const effective = [];
  const answered = [];
  try {
    for (const kind of kinds(api, prober, `/v1/tenants/${tenant.id}`)) {
      const times = await measureKind(kind, quick ? 25 : 100);
      effective.push(...times.effective);
      answered.push(...times.answered);
      report.figure({
        name: `${kind.name}, p99`, value: quantile(times.effective, 0.99), unit: 'ms', at_most: 50,
        note: `${times.effective.length} changes; p50 ${quantile(times.effective, 0.5).toFixed(1)}, max ${Math.max(...times.effective).toFixed(1)} ms`,
      });
    }
  } finally {
    prober.close();
    await api.ok('DELETE', `/v1/tenants/${tenant.id}`);
  }
  report.figure({ name: 'all changes, p99', value: quantile(effective, 0.99), unit: 'ms', at_most: 50, note: `${effective.length} changes` });
  report.figure({ name: 'after the REST answer, p99', value: quantile(answered, 0.99), unit: 'ms', note: 'what the feed alone takes' });
}

/** Each kind is a pair of changes that undo each other, so rounds may follow each other. */
function kinds(api, prober, base) {
  const options = (domain) => () => prober.options(domain);
  const domain = 'more.change.bench.test';
  const extension = { number: '200', kind: 'softphone', password: PASSWORD };
  const register = () => prober.register({ number: '200', domain: 'change.bench.test', password: PASSWORD });
  return [
    {
      name: 'suspend and resume a tenant', probe: options('change.bench.test'),
      steps: [[() => api.ok('PATCH', base, { status: 'suspended' }), 403], [() => api.ok('PATCH', base, { status: 'active' }), 200]],
    }, {
      name: 'add and remove a domain', probe: options(domain),
      steps: [[() => api.ok('POST', `${base}/domains`, { name: domain }), 200], [() => api.ok('DELETE', `${base}/domains/${domain}`), 404]],
    }, {
      name: 'add and remove an extension', probe: register,
      steps: [[() => api.ok('POST', `${base}/extensions`, extension), 200], [() => api.ok('DELETE', `${base}/extensions/200`), 401]],
    },
  ];
}

async function measureKind({ name, probe, steps }, rounds) {
  const times = { effective: [], answered: [] };
  await probe(); // the edge has its old answer, also a remembered "unknown"
  for (let round = 0; round < rounds; round++) {
    for (const [change, wanted] of steps) {
      const { effective_ms, answered_ms } = await timeOne(change, probe, wanted, name);
      times.effective.push(effective_ms);
      times.answered.push(Math.max(0, effective_ms - answered_ms));
    }
  }
  return times;
}

async function timeOne(change, probe, wanted, name) {
  const began = performance.now();
  let answered_ms = Infinity;
  const rest = change().then(() => { answered_ms = performance.now() - began; });
  rest.catch(() => {}); // told by the await below
  for (;;) {
    const status = await probe();
    const now_ms = performance.now() - began;
    if (status === wanted) {
      await rest;
      return { effective_ms: now_ms, answered_ms };
    }
    if (now_ms > LATE_MS) {
      await rest;
      throw new Error(`${name}: the edge still answers ${status} and not ${wanted} after ${LATE_MS} ms`);
    }
  }
}
