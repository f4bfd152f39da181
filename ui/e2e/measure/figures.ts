// What was measured, in the words of docs/benchmarks.md.

/** The value below which a share of all lies. */
export function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** A row: what it is, its goal, and half, nineteen of twenty, ninety-nine of a hundred, and the worst. */
export function row(what: string, values: number[], goal: number): string {
  const [half, most, nearly, worst] = [0.5, 0.95, 0.99, 1].map((share) => quantile(values, share).toFixed(0));
  return `| ${what} | ${values.length} | ${half} ms | ${most} ms | ${nearly} ms | ${worst} ms | < ${goal} ms |`;
}

export const HEAD = "| What | Times | p50 | p95 | p99 | Worst | Goal |\n|---|---|---|---|---|---|---|";
