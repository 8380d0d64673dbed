// A small curve beside a figure.

/** The points of a curve in a box of w x h; null leaves a gap. Pure. */
export function spark_path(values: (number | null)[], min: number, max: number, w: number, h: number): string {
  const step = values.length > 1 ? w / (values.length - 1) : 0;
  const y = (value: number) => h - ((Math.min(max, Math.max(min, value)) - min) / (max - min || 1)) * h;
  let path = '';
  let down = false;
  values.forEach((value, i) => {
    if (value === null) {
      down = false;
      return;
    }
    path += `${down ? 'L' : 'M'}${(i * step).toFixed(1)} ${y(value).toFixed(1)}`;
    down = true;
  });
  return path;
}

export function Spark({ values, min, max, label, tone }: { values: (number | null)[]; min: number; max: number; label: string; tone: string }) {
  return (
    <svg class={`spark ${tone}`} viewBox="-1 -2 74 24" width="74" height="24" role="img" aria-label={label}>
      <path d={spark_path(values, min, max, 72, 20)} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round" />
    </svg>
  );
}
