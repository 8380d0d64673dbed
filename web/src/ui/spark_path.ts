// A curve as an SVG path.

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
