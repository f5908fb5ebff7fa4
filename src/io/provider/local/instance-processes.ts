import type { ChildProcess } from 'node:child_process';
import { isAtGate } from './launch.ts';
import { type Fact, type InstanceRecord, processOf } from './lifecycle.ts';
import { type FoundProcess, findLeftovers, lookUp, signalFound, signalGroup, ticksNow } from './processes.ts';

/**
 * The processes of a group's instances, as one controller knows them. An own child that was not reaped yet is certain to be
 * the one behind its pid; any other is looked up by pid, start time and token each time.
 */
export class InstanceProcesses {
  readonly #children = new Map<string, ChildProcess>();
  readonly #aliveAtTicks = new Map<string, number>();

  add(token: string, child: ChildProcess): void {
    this.#children.set(token, child);
  }

  factOf(record: InstanceRecord): Fact {
    const seen = this.#look(record);
    if (seen === 'alive') this.#aliveAtTicks.set(record.token, ticksNow());
    if (seen === 'alive' && record.phase.kind === 'claimed' && isAtGate(record.phase.process?.pid ?? 0))
      return 'at-gate';
    if (seen !== 'gone') return seen;
    return this.#leftoversOf(record).length > 0 ? 'leftovers' : 'gone';
  }

  endingOf(record: InstanceRecord): string {
    const child = this.#children.get(record.token);
    if (child === undefined) return 'it ended by itself (how is not known: an earlier controller had started it)';
    if (child.signalCode !== null) return `it ended by itself on ${child.signalCode}`;
    const hint = child.exitCode === 0 ? ' (a command has to stay in the foreground)' : '';
    return `it ended by itself with exit code ${child.exitCode}${hint}`;
  }

  /** To the instance's process group, and to whatever else it started. Looks everybody up again right before. */
  signal(record: InstanceRecord, signal: 'SIGTERM' | 'SIGKILL'): void {
    const pid = processOf(record)?.pid;
    if (pid === undefined) return;
    const alive = this.#look(record) === 'alive';
    if (alive) signalGroup(pid, signal);
    for (const found of this.#leftoversOf(record)) {
      if (!alive || found.group !== pid) signalFound(found, signal);
    }
  }

  keepOnly(tokens: ReadonlySet<string>): void {
    for (const known of [this.#children, this.#aliveAtTicks]) {
      for (const token of known.keys()) if (!tokens.has(token)) known.delete(token);
    }
  }

  #look(record: InstanceRecord): 'alive' | 'gone' | 'unsure' {
    const process = processOf(record);
    if (process === null) return 'gone';
    const child = this.#children.get(record.token);
    if (child === undefined) return lookUp(process, record.token);
    return child.exitCode === null && child.signalCode === null ? 'alive' : 'gone';
  }

  #leftoversOf(record: InstanceRecord): FoundProcess[] {
    const process = processOf(record);
    if (process === null) return [];
    return findLeftovers(process, record.token, this.#aliveAtTicks.get(record.token) ?? null);
  }
}
