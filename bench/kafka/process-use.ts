import { readFileSync } from 'node:fs';

/** The kernel counts in hundredths of a second, on every machine that Linux has been built for in the usual way. */
const ticksPerSecond = 100;

/** User and system, of all threads, since it was started. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in brackets, may have anything in it. Behind it the state is field 3; 14 and 15 are the times.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The most that was ever resident. */
export function peakMib(pid: number): number {
  return statusMib(pid, 'VmHWM');
}

/** Now. */
export function residentMib(pid: number): number {
  return statusMib(pid, 'VmRSS');
}

function statusMib(pid: number, name: string): number {
  const kib = new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kib === undefined) throw new Error(`process ${pid} tells no ${name}: it has ended`);
  return Number(kib) / 1024;
}
