// Measures a running instance of its own and judges the figures; loadtest/bench starts it.
//   BENCH_RUN  the instance's directory     BENCH_SIPLOAD, BENCH_EVENTLOAD, BENCH_PLANLOAD  the load generators     BENCH_COREWATCH  looks at the machine
//   BENCH_RESULTS  where the JSON goes
//   QUICK=1    fewer and shorter rounds, a tenth of the tenants     ONLY=lookup,register,...  some of the parts
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Instance } from '../../tests/lib/instance.mjs';
import { elapsed } from '../../tests/lib/until.mjs';
import { measureBindings } from './bindings.mjs';
import { measureBrowser } from './browser.mjs';
import { measureCalls } from './calls.mjs';
import { measureChange } from './change.mjs';
import { measureConsole } from './console.mjs';
import { Database } from './database.mjs';
import { measureEvents } from './events.mjs';
import { Load } from './load.mjs';
import { measureLookup } from './lookup.mjs';
import { measureMachine } from './machine.mjs';
import { endAll } from './processes.mjs';
import { measureRegister } from './register.mjs';
import { Report } from './report.mjs';
import { measureMiss, measureTable, waitForDomain } from './scale.mjs';
import { measureWakes } from './wake.mjs';

const EXTENSIONS = 10; // of each tenant
const USERS = 20_000; // that the REGISTER rounds take in turn
const DEADLINE_MS = 30 * 60_000;

const quick = process.env.QUICK === '1';
const report = new Report();

async function prepare() {
  const instance = Instance.open(process.env.BENCH_RUN);
  const domains = quick ? 10_000 : 100_000;
  const database = new Database(instance);
  const time = elapsed();
  await database.seed({ domains, extensions: EXTENSIONS });
  const last_domain = `t${String(domains - 1).padStart(6, '0')}.bench.test`;
  process.stdout.write(`seeded ${domains} tenants with ${domains * EXTENSIONS} extensions in ${(time() / 1000).toFixed(1)} s\n`);
  await waitForDomain(instance, last_domain);
  return {
    quick, instance, database, domains, last_domain, users: USERS,
    workers: Number(process.env.BENCH_UDP_WORKERS),
    load: new Load({ program: process.env.BENCH_SIPLOAD, postgres_pid: await instance.pid('postgres') }),
    edge: { pid: await instance.pid('kamailio'), port: instance.sip.port },
    scratch: mkdtempSync(path.join(tmpdir(), 'belfry-bench-')),
  };
}

// In this order: the look-up's own edges are the cold starts of `table`; `miss` wants users that no other part touched.
const PARTS = {
  lookup: async (context) => { context.cold_ms = (await measureLookup(context)).loaded_ms; },
  table: measureTable,
  register: measureRegister,
  miss: (context) => measureMiss({ ...context, first_user: USERS, users: context.domains * EXTENSIONS - USERS }),
  change: measureChange,
  calls: measureCalls,
  bindings: measureBindings,
  events: measureEvents,
  wake: measureWakes,
  browser: measureBrowser,
  console: measureConsole,
};

async function main() {
  const wanted = process.env.ONLY ? process.env.ONLY.split(',') : Object.keys(PARTS);
  const context = { report, ...await prepare() };
  report.section('The machine');
  await measureMachine(context, 'before');
  try {
    for (const name of wanted) {
      try {
        await PARTS[name](context);
      } catch (error) {
        report.failed(name, error);
      }
    }
    report.section('The machine');
    await measureMachine(context, 'after');
  } finally {
    await endAll();
    await context.database.dropBaseline();
    rmSync(context.scratch, { recursive: true, force: true });
  }
  return finish();
}

function finish() {
  report.print();
  writeFileSync(process.env.BENCH_RESULTS, `${JSON.stringify(report.json({ quick }), null, 2)}\n`);
  return report.passed;
}

// What was measured until then is not lost.
setTimeout(async () => {
  report.failed('bench', new Error(`not done after ${DEADLINE_MS / 60_000} minutes`));
  finish();
  await endAll();
  process.exit(1);
}, DEADLINE_MS).unref();

process.exitCode = (await main()) ? 0 : 1;
