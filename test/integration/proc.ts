import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** A process without a command line has ended, and waits for its parent to notice. */
export function isAlive(pid: number): boolean {
  return fileOf(pid, 'cmdline') !== '';
}

/**
 * Whether a program has its handlers for signals in place; before that it has no word in what they do. By SIGHUP, because Node
 * itself catches the others from its first moment on, to leave a terminal in order.
 */
export function catchesSignals(pid: number): boolean {
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(fileOf(pid, 'status'))?.[1] ?? '0';
  return (BigInt(`0x${mask}`) & (1n << BigInt(constants.signals.SIGHUP - 1))) !== 0n;
}

/** Empty for a process that is gone. */
function fileOf(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
