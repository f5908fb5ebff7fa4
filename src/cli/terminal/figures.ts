/** `12,345`. */
export function whole(count: number): string {
  return count.toLocaleString('en', { maximumFractionDigits: 0 });
}

/** `0.31 %`: three digits at most, fewer where they would be noise; `–` where there is nothing to divide. */
export function rate(part: number, of: number): string {
  return of === 0 ? '–' : percentage(part / of);
}

export function percentage(fraction: number): string {
  const value = fraction * 100;
  if (value === 0) return '0 %';
  if (value < 0.001) return '<0.001 %';
  if (value < 0.1) return `${value.toPrecision(1)} %`;
  return `${value < 10 ? value.toPrecision(value < 1 ? 2 : 3) : value.toFixed(1)} %`.replace('100.0 %', '100 %');
}

/** `412.5` for events per second. */
export function perSecond(count: number, ms: number): string {
  const value = ms === 0 ? 0 : (count * 1000) / ms;
  return value.toLocaleString('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}
