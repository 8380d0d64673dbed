// A Prometheus histogram of a span: what was counted between two scrapes.
//
//   const before = await histogram(url, 'belfry_control_plan_seconds');
//   const span = between(before, await histogram(url, ...));
//   span.count, span.buckets [{le, count}]      count: of values up to `le`
//   span.quantile(0.99)                         values are taken as spread evenly between the bounds of their bucket
//   span.upTo(0.002)                            the part of the values up to this bound
export async function histogram(url, name) {
  const text = await (await fetch(url)).text();
  const buckets = [...text.matchAll(new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\d+)`, 'gm'))]
    .map(([, le, count]) => ({ le: le === '+Inf' ? Infinity : Number(le), count: Number(count) }));
  if (buckets.length === 0) throw new Error(`${url} has no ${name}`);
  return buckets;
}

export function between(before, after) {
  const buckets = after.map(({ le, count }, i) => ({ le, count: count - before[i].count }));
  const { count } = buckets.at(-1);
  return { count, buckets, quantile: (part) => quantile(buckets, part * count), upTo: (bound) => buckets.find(({ le }) => le >= bound).count / count };
}

/** Infinity when it is above the last bound: no one knows how far. */
function quantile(buckets, rank) {
  const at = buckets.findIndex(({ count }) => count >= rank && count > 0);
  const high = buckets[at];
  const low = buckets[at - 1] ?? { le: 0, count: 0 };
  if (high.le === Infinity) return Infinity;
  return low.le + (high.le - low.le) * (rank - low.count) / (high.count - low.count);
}
