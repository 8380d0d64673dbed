// What openapi.yaml promises: its routes, and nothing more. A reader for the layout our services serve (two spaces of indent,
// paths at the first level, methods at the second), not a YAML parser: what it does not understand is an error.
//
//   routes(text) -> [{method: 'GET', path: '/v1/tenants/{t}', params: ['t']}]
const METHODS = new Set(['get', 'post', 'put', 'patch', 'delete', 'head', 'options']);
const KEYWORDS = new Set(['parameters', 'summary', 'description', 'servers', '$ref']);

export function routes(text) {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => /^paths:\s*$/.test(line));
  if (start < 0) throw new Error('openapi.yaml has no line "paths:"');
  const found = [];
  let path = null;
  for (const line of lines.slice(start + 1)) {
    if (/^\S/.test(line) && !line.startsWith('#')) break;
    const first = /^ {2}["']?(\/[^"':]*)["']?:\s*(#.*)?$/.exec(line);
    const second = /^ {4}([a-z$]+):/.exec(line);
    if (first) path = first[1];
    else if (/^ {2}[^\s#]/.test(line)) throw new Error(`openapi.yaml: not a path: ${line}`);
    else if (second && METHODS.has(second[1])) found.push({ method: second[1].toUpperCase(), path });
    else if (second && !KEYWORDS.has(second[1])) throw new Error(`openapi.yaml: ${path}: unknown ${second[1]}`);
  }
  if (found.length === 0) throw new Error('openapi.yaml: no routes found');
  return found.map((route) => ({ ...route, params: [...route.path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name) }));
}
