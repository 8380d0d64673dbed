// The instance's PostgreSQL: tenants in bulk, and the baseline's own database beside Belfry's.
//
//   const database = new Database(instance);
//   await database.seed({domains, extensions})         by loadtest/seed
//   const url = await database.makeBaseline(domains)   a fresh database; its URL for Kamailio (PGHOST says the socket)
//   await database.dialogsWritten()                    how many dialogs the stock Kamailio wrote there
//   await database.dropBaseline()
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../tests/lib/instance.mjs';

const run = promisify(execFile);
const BASELINE = 'belfry_baseline'; // a role and a database

export class Database {
  #password = randomBytes(18).toString('hex');

  constructor(instance) {
    this.owner = {
      PATH: process.env.PATH, PGHOST: instance.env.BELFRY_PGHOST, PGDATABASE: instance.env.BELFRY_PGDATABASE, PGUSER: 'belfry_owner',
      PGPASSWORD: readFileSync(path.join(instance.run, 'secrets/belfry_owner.pgpass'), 'utf8').trim(),
    };
    // as that role in `postgres`, where everybody may connect: Belfry's database lets nobody else in
    this.baseline = { ...this.owner, PGDATABASE: 'postgres', PGUSER: BASELINE, PGPASSWORD: this.#password };
  }

  async seed({ domains, extensions }) {
    await run(path.join(ROOT, 'loadtest/seed'), ['--domains', String(domains), '--extensions', String(extensions)], { env: this.owner, timeout: 300_000 });
  }

  /** `synchronous_commit` false: what it wrote within the last moment may be lost when the machine dies, as with Redis. */
  async makeBaseline(domains, { synchronous_commit = true } = {}) {
    await this.dropBaseline();
    await psql(this.owner, `CREATE ROLE ${BASELINE} LOGIN CREATEDB PASSWORD '${this.#password}';`);
    await psql(this.baseline, `CREATE DATABASE ${BASELINE};`);
    await psql(this.baseline, `ALTER DATABASE ${BASELINE} SET synchronous_commit = ${synchronous_commit ? 'on' : 'off'};`);
    const inside = { ...this.baseline, PGDATABASE: BASELINE };
    await psql(inside, readFileSync(path.join(ROOT, 'loadtest/baseline/schema.sql')));
    await psql(inside, readFileSync(path.join(ROOT, 'loadtest/baseline/fill.sql')), { domains, extensions: 10, suffix: '.bench.test', password: 'bench' });
    return `postgres://${BASELINE}:${this.#password}@/${BASELINE}`;
  }

  /** How many dialogs the stock Kamailio has written since its database was made: by its sequence, which is never late. */
  async dialogsWritten() {
    const inside = { ...this.baseline, PGDATABASE: BASELINE };
    return Number(await psql(inside, 'SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM dialog_id_seq;'));
  }

  async dropBaseline() {
    const there = await psql(this.owner, `SELECT count(*) FROM pg_roles WHERE rolname = '${BASELINE}';`);
    if (there.trim() === '0') return;
    await psql(this.owner, `ALTER ROLE ${BASELINE} PASSWORD '${this.#password}';`);
    await psql(this.baseline, `DROP DATABASE IF EXISTS ${BASELINE};`);
    await psql(this.owner, `DROP ROLE ${BASELINE};`);
  }
}

/** The statements go by stdin: a password is never on a command line. */
function psql(env, statements, variables = {}) {
  const args = ['-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', ...Object.entries(variables).flatMap(([name, value]) => ['-v', `${name}=${value}`])];
  return new Promise((resolve, reject) => {
    const child = spawn('psql', args, { env, stdio: ['pipe', 'pipe', 'pipe'], timeout: 300_000 });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => { said.stdout += chunk; });
    child.stderr.on('data', (chunk) => { said.stderr += chunk; });
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(said.stdout) : reject(new Error(`psql: ${said.stderr.trim() || `ended with ${code}`}`))));
    child.stdin.end(statements);
  });
}
