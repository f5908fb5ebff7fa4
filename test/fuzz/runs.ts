import { appendFileSync } from 'node:fs';

/** How often a property of `test/fuzz` runs: as often as is told, times DROVER_RUNS, which `npm run fuzz` sets. */
export function runs(count: number): { readonly numRuns: number } {
  const numRuns = count * factorFrom(process.env['DROVER_RUNS']);
  const counted = process.env['DROVER_RUNS_COUNTED'];
  if (counted !== undefined) appendFileSync(counted, `${numRuns}\n`);
  return { numRuns };
}

function factorFrom(text: string | undefined): number {
  if (text === undefined || text === '') return 1;
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new Error(`DROVER_RUNS: expected a whole number from 1, found ${text}`);
  return Number(text);
}

/** Far above what is needed, far below what input made to be slow would take. */
const cpuMsMax = 10_000;

/** For input made to cost time: `action` ends in proportion. Counted is this process's own time, however busy the machine is. */
export function expectQuick<T>(action: () => T): T {
  const before = process.cpuUsage();
  const result = action();
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system) / 1000;
  if (ms > cpuMsMax) throw new Error(`took ${Math.round(ms)} ms of processor time`);
  return result;
}
