// A small curve beside a figure.
import { spark_path } from './spark_path';

export function Spark({ values, min, max, label, tone }: { values: (number | null)[]; min: number; max: number; label: string; tone: string }) {
  return (
    <svg class={`spark ${tone}`} viewBox="-1 -2 74 24" width="74" height="24" role="img" aria-label={label}>
      <path d={spark_path(values, min, max, 72, 20)} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round" />
    </svg>
  );
}
