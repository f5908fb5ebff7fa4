import type { GroupConfig } from '../../../core/fleet/config.ts';
import type { GroupReading } from '../../../core/observed/group.ts';
import type { Reading } from '../../../core/observed/reading.ts';
import { type Clock, type Group, PortError } from '../../../engine/ports.ts';
import { beforeDeadline, throwIfAborted } from '../deadline.ts';
import { followDeclared } from './adopt.ts';
import { takeControlLock } from './control-lock.ts';
import { Controller } from './controller.ts';
import { describeGroup, type Observed } from './describe.ts';
import { HealthMonitor } from './health.ts';
import { InstanceProcesses } from './instance-processes.ts';
import { groupPaths, resolveDirectory } from './paths.ts';
import { requireProc } from './processes.ts';
import { makeDirectory, readStored, type Wanted } from './records.ts';
import type { Setup } from './setup.ts';

export type LocalGroupOptions = {
  /** Unique in the state directory: `query.origin`. */
  readonly name: string;
  readonly group: GroupConfig;
  readonly stateDirectory: string;
  /** `watch` reads, and never starts, stops or writes anything. */
  readonly mode: 'control' | 'watch';
  readonly clock: Clock;
  /** How long an instance is reported `stopping` before SIGTERM; 0 where the balancer notices SIGTERM by itself. */
  readonly drainMs?: number;
  /** Load of the whole group in requests per second; without it only `resize` changes the size. */
  readonly loadRps?: () => Reading<number>;
  /** What the instances inherit; without it what this process has. */
  readonly env?: Readonly<Record<string, string | undefined>>;
};

type Size = { readonly min?: number; readonly desired?: number };

const tickMs = 200;

/**
 * A group of real processes on this machine.
 *
 *     watching → controlling → closed        mode `control`: each tick tries to take the group's lock until it has it
 *     watching → closed                      mode `watch`
 *
 * While watching it reads the files of whoever controls the group and checks the health itself. While controlling, a timer
 * of its own (which does not keep the process alive) takes the group towards the wanted size, which is on disk. Closing, like
 * dying, leaves the instances running for the next controller.
 */
export class LocalGroup implements Group {
  readonly #setup: Setup;
  readonly #mode: 'control' | 'watch';
  readonly #monitor: HealthMonitor;
  #controller: Controller | null = null;
  #holder = 'another process';
  #trouble: PortError | null = null;
  #ticking: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: LocalGroupOptions) {
    requireProc();
    const { name, group, clock } = options;
    if (group.local === null || group.size === null) throw new Error(`${name}: not a group of the local provider`);
    this.#setup = {
      name,
      size: group.size,
      local: group.local,
      config: group,
      paths: groupPaths(resolveDirectory(options.stateDirectory), name),
      clock,
      drainMs: options.drainMs ?? 0,
      loadRps: options.loadRps ?? null,
      env: options.env ?? process.env,
    };
    this.#mode = options.mode;
    this.#monitor = new HealthMonitor(group.local.health, clock);
    if (this.#mode === 'control') this.#schedule(0);
  }

  /** Throws PortError, among others `corrupt` when a file of the group cannot be understood. */
  async read(signal: AbortSignal): Promise<GroupReading> {
    return beforeDeadline(this.#read(signal), signal, `Reading ${this.#setup.name}`);
  }

  /** The wanted size is on disk when this returns; instances are started and stopped afterwards. Throws PortError. */
  async resize(size: Size, signal: AbortSignal): Promise<void> {
    const what = `Resizing ${this.#setup.name}`;
    throwIfAborted(signal, what);
    this.#refuseImpossible(size);
    const controller = await beforeDeadline(this.#takeControl(), signal, what);
    await beforeDeadline(
      controller.changeWanted((wanted) => resized(wanted, size)),
      signal,
      what,
    );
    this.#schedule(0);
  }

  /** One step towards the wanted size; the timer does this too. Never two at once. */
  tick(): Promise<void> {
    if (this.#mode === 'watch' || this.#closed) return Promise.resolve();
    this.#ticking ??= this.#tick().finally(() => {
      this.#ticking = null;
    });
    return this.#ticking;
  }

  /** Ends the control; the instances go on running. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#ticking;
    await this.#controller?.release();
    this.#controller = null;
  }

  async #read(signal: AbortSignal): Promise<GroupReading> {
    if (this.#mode === 'control' && this.#controller === null) await this.tick();
    if (this.#trouble !== null) throw this.#trouble;
    const { wanted, observed } = this.#controller === null ? await this.#fromDisk() : fromController(this.#controller);
    return describeGroup(this.#setup, wanted, observed, this.#monitor, signal);
  }

  async #fromDisk(): Promise<{ readonly wanted: Wanted; readonly observed: readonly Observed[] }> {
    const stored = await readStored(this.#setup.paths);
    const wanted = stored.wanted ?? followDeclared(null, this.#setup);
    const processes = new InstanceProcesses();
    const observed = stored.records.map((record) => ({
      record,
      fact: processes.factOf(record),
      wanted: record.index < wanted.desired,
      problem: null,
    }));
    this.#monitor.keepOnly(new Set(stored.records.map((record) => record.token)));
    return { wanted, observed };
  }

  async #takeControl(): Promise<Controller> {
    const { name } = this.#setup;
    if (this.#mode === 'watch') {
      throw new PortError('refused', `${name}: opened for watching only; its size was not changed.`, {
        retriable: false,
      });
    }
    if (this.#controller === null) await this.tick();
    if (this.#controller !== null) return this.#controller;
    if (this.#trouble !== null) throw this.#trouble;
    const message = `${name}: ${this.#holder} controls its instances; let that one act, or end it first.`;
    throw new PortError('refused', message, { retriable: true });
  }

  #refuseImpossible({ min, desired }: Size): void {
    const { name, size } = this.#setup;
    for (const [what, value] of Object.entries({ min, desired })) {
      if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= size.max)) continue;
      const message = `${name}: ${what} ${value} is not possible: it has to be a whole number from 0 to ${size.max}, the maximum in the configuration.`;
      throw new PortError('refused', message, { retriable: false });
    }
  }

  #schedule(delayMs: number): void {
    if (this.#closed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const next = () => void this.tick().then(() => this.#schedule(tickMs));
    this.#timer = setTimeout(next, delayMs).unref();
  }

  /** What the outside does not allow is kept for the next reading; only a bug escapes. */
  async #tick(): Promise<void> {
    try {
      this.#controller ??= await this.#tryControl();
      await this.#controller?.pass();
      this.#trouble = null;
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      this.#trouble = error;
    }
  }

  async #tryControl(): Promise<Controller | null> {
    const { paths } = this.#setup;
    await makeDirectory(paths);
    const taken = await takeControlLock(paths);
    if (!taken.held) {
      this.#holder = taken.holder;
      return null;
    }
    try {
      return await Controller.takeOver(this.#setup, taken.lock, this.#monitor);
    } catch (error) {
      await taken.lock.release();
      throw error;
    }
  }
}

function fromController(controller: Controller): { readonly wanted: Wanted; readonly observed: readonly Observed[] } {
  return { wanted: controller.wanted, observed: controller.observe() };
}

function resized(wanted: Wanted, size: Size): Wanted {
  const min = size.min ?? wanted.min;
  return { ...wanted, min, desired: Math.max(min, size.desired ?? wanted.desired) };
}
