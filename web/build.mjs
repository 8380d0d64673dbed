// Builds the console and the browser phone.
//
//   node build.mjs FOLDER           bundles with hashed names in FOLDER/assets, index.html, phone.html; each also as .gz for nginx
//   node build.mjs --tests FOLDER   the unit tests (src/**/*.test.ts), ready for `node --test`
//
// FOLDER is written whole or not at all: beside it first, then renamed.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const SRC = path.join(HERE, 'src');
const COMMON = { absWorkingDir: HERE, bundle: true, format: 'esm', target: 'es2022', jsx: 'automatic', jsxImportSource: 'preact', logLevel: 'warning', loader: { '.svg': 'file' } };

// What each page starts with. Everything else is loaded when it is needed.
const PAGES = { 'index.html': 'src/console.tsx', 'phone.html': 'src/phone.tsx' };

const files = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? files(path.join(folder, entry.name)) : [path.join(folder, entry.name)]);

async function bundle(folder) {
  const result = await build({
    ...COMMON,
    entryPoints: Object.values(PAGES),
    outdir: path.join(folder, 'assets'),
    entryNames: '[name]-[hash]', chunkNames: 'c-[hash]', assetNames: '[name]-[hash]',
    publicPath: '/assets', splitting: true, minify: true, metafile: true, legalComments: 'none',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  for (const [page, entry] of Object.entries(PAGES)) writeFileSync(path.join(folder, page), html(page, entry, result.metafile));
  for (const file of files(folder)) writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
}

/** The page's template with its script, its stylesheet, and what the script imports at once (so that all come in one round trip). */
function html(page, entry, { outputs }) {
  const [script, output] = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === entry);
  const url = (file) => `/assets/${path.basename(file)}`;
  const first = output.imports.filter(({ kind }) => kind === 'import-statement').map(({ path: file }) => `<link rel="modulepreload" href="${url(file)}">`);
  const style = output.cssBundle ? [`<link rel="stylesheet" href="${url(output.cssBundle)}">`] : [];
  const mark = Object.keys(outputs).find((file) => file.endsWith('.svg'));
  return readFileSync(path.join(SRC, page), 'utf8').replace('<!--head-->', [`<link rel="icon" href="${url(mark)}" type="image/svg+xml">`, ...style, ...first, `<script type="module" src="${url(script)}"></script>`].join('\n  '));
}

async function tests(folder) {
  const entryPoints = files(SRC).filter((file) => file.endsWith('.test.ts'));
  await build({ ...COMMON, entryPoints, outdir: folder, outbase: SRC, platform: 'node', target: 'node18', outExtension: { '.js': '.mjs' } });
}

const wants_tests = process.argv[2] === '--tests';
const target = path.resolve(process.argv[wants_tests ? 3 : 2]);
const fresh = `${target}.${createHash('sha256').update(String(process.pid)).digest('hex').slice(0, 6)}`;
mkdirSync(fresh, { recursive: true });
try {
  await (wants_tests ? tests : bundle)(fresh);
  rmSync(target, { recursive: true, force: true });
  renameSync(fresh, target);
} finally {
  if (statSync(fresh, { throwIfNoEntry: false })) rmSync(fresh, { recursive: true });
}
