// What failed and why, from TAP files that `node --test` wrote: for each test its name, file:line and the first lines of its
// error. Short enough to stand at the end of a log.
//
//   node tests/lib/failures.mjs build/e2e/20000/call.tap...
import { readFileSync } from 'node:fs';
import path from 'node:path';

const TESTS_MAX = 8;
const LINES_MAX = 3;
const COLUMNS_MAX = 160;

const unescape = (text) => text.replace(/\\(.)/g, '$1');
const unquote = (text) => text.replace(/^'(.*)'$/, '$1').replaceAll("\\'", "'");

/** The block behind `not ok`: {key: text}; a text of several lines keeps them. */
function details(lines, indent) {
  const found = {};
  let key;
  for (const line of lines) {
    if (line.trim() === '...' || !line.startsWith(indent)) break;
    const pair = line.slice(indent.length).match(/^ {2}(\w+): (.*)$/);
    if (pair) {
      key = pair[1];
      found[key] = pair[2] === '|-' ? '' : unquote(pair[2]);
    } else if (key) found[key] += `${found[key] ? '\n' : ''}${line.slice(indent.length + 4)}`;
  }
  return found;
}

/** Tests that failed by themselves: not a suite because of its tests, nor a test because of its suite. */
function* failures(text) {
  const lines = text.split('\n');
  for (const [i, line] of lines.entries()) {
    const match = line.match(/^( *)not ok \d+ - (.*)$/);
    if (!match || / # (TODO|SKIP)/.test(match[2])) continue;
    const found = details(lines.slice(i + 2), match[1]);
    if (found.failureType === 'subtestsFailed' || found.failureType === 'cancelledByParent') continue;
    const crash = found.exitCode && lines.find((said) => /^# \S*Error\b/.test(said))?.slice(2);
    yield { ...found, name: unescape(match[2]), crash };
  }
}

/** Where it failed: the first place of the stack within the tests, else where the test begins. */
function place({ location = '', stack = '' }) {
  const within = [...stack.matchAll(/file:\/\/(\/[^)\s]+?):(\d+):\d+/g)];
  const own = within.find(([, file]) => file.endsWith('.test.mjs')) ?? within[0];
  const [, file, line] = own ?? location.match(/^(.*):(\d+):\d+$/) ?? [, location, ''];
  return `${path.relative(process.cwd(), file)}:${line}`;
}

const failed = process.argv.slice(2).flatMap((file) => [...failures(readFileSync(file, 'utf8'))]);
for (const failure of failed.slice(0, TESTS_MAX)) {
  const why = (failure.crash || failure.error || 'no reason was given').split('\n').filter((line) => line.trim());
  console.log(`${place(failure)}: ${failure.name}`.slice(0, COLUMNS_MAX));
  for (const line of why.slice(0, LINES_MAX)) console.log(`    ${line}`.slice(0, COLUMNS_MAX));
}
if (failed.length > TESTS_MAX) console.log(`and ${failed.length - TESTS_MAX} more`);
