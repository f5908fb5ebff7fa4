import { randomUUID } from 'node:crypto';
import { PortError } from '../../../engine/ports.ts';
import { adopt } from './adopt.ts';
import { autoscale } from './autoscale.ts';
import { commandBuild } from './command-build.ts';
import type { ControlLock } from './control-lock.ts';
import type { Observed } from './describe.ts';
import type { HealthMonitor } from './health.ts';
import { InstanceProcesses } from './instance-processes.ts';
import { LaunchError, type Launched, launch } from './launch.ts';
import { afterFailedStart, afterStart, type InstanceRecord, nextStep, type Phase, type Step } from './lifecycle.ts';
import { beginLog, boundLog } from './output.ts';
import { logFile } from './paths.ts';
import { findListener } from './processes.ts';
import { removeInstance, saveInstance, saveWanted, translated, type Wanted } from './records.ts';
import { filled, healthUrl, instanceName, portOf, type Setup } from './setup.ts';

/** Mean utilisation that scaling by load aims at, and how long a quiet load is watched before an instance is taken away. */
const utilisation = 0.7;
const coolDownMs = 300_000;
/** Steps in a row for one instance in one pass; the next pass goes on. */
const stepsMax = 4;

/**
 * The one process that starts and stops the instances of a group, for as long as it holds the lock. Memory is the truth
 * while it runs, and every step is on disk before the next; each pass compares what is wanted with what is there and takes
 * the next steps, so that a pass that was interrupted is made up for by the one after.
 */
export class Controller {
  readonly #setup: Setup;
  readonly #lock: ControlLock;
  readonly #monitor: HealthMonitor;
  readonly #records: Map<number, InstanceRecord>;
  #wanted: Wanted;
  #savingWanted: Promise<void> = Promise.resolve();
  #quietSinceMs: number | null = null;
  readonly #processes = new InstanceProcesses();
  readonly #unsaved = new Set<number>();
  readonly #problems = new Map<number, string>();

  /** Takes over what is on disk and what runs. Throws PortError; then nothing was started or stopped. */
  static async takeOver(setup: Setup, lock: ControlLock, monitor: HealthMonitor): Promise<Controller> {
    const { wanted, records } = await adopt(setup);
    return new Controller(setup, lock, monitor, wanted, records);
  }

  private constructor(
    setup: Setup,
    lock: ControlLock,
    monitor: HealthMonitor,
    wanted: Wanted,
    records: readonly InstanceRecord[],
  ) {
    this.#setup = setup;
    this.#lock = lock;
    this.#monitor = monitor;
    this.#wanted = wanted;
    this.#records = new Map(records.map((record) => [record.index, record]));
  }

  get wanted(): Wanted {
    return this.#wanted;
  }

  observe(): Observed[] {
    const records = [...this.#records.values()].sort((a, b) => a.index - b.index);
    return records.map((record) => ({
      record,
      fact: this.#processes.factOf(record),
      wanted: this.#isWanted(record),
      problem: this.#problems.get(record.index) ?? null,
    }));
  }

  /** The new size is on disk when this returns. Throws PortError, and then the size is as before. */
  changeWanted(change: (wanted: Wanted) => Wanted): Promise<void> {
    const save = async () => {
      const next = change(this.#wanted);
      if (next.min === this.#wanted.min && next.desired === this.#wanted.desired) return;
      await saveWanted(this.#setup.paths, next);
      this.#wanted = next;
    };
    const saving = this.#savingWanted.then(save);
    this.#savingWanted = saving.catch(() => undefined);
    return saving;
  }

  /** One comparison of wanted and real, and the steps that follow from it. Throws PortError if the size cannot be saved. */
  async pass(): Promise<void> {
    await this.#scaleByLoad();
    this.#addMissing();
    const indices = [...this.#records.keys()].sort((a, b) => b - a);
    await Promise.all(indices.map((index) => this.#advance(index)));
    const tokens = new Set([...this.#records.values()].map((record) => record.token));
    this.#monitor.keepOnly(tokens);
    this.#processes.keepOnly(tokens);
  }

  /** Lets go of the group; its instances go on running. */
  async release(): Promise<void> {
    await this.#savingWanted;
    await this.#lock.release();
  }

  async #scaleByLoad(): Promise<void> {
    const { loadRps, size, config, clock } = this.#setup;
    if (loadRps === null) return;
    const { capacityRps } = config;
    await this.changeWanted((wanted) => {
      const fixed = { max: size.max, capacityRps, utilisation, coolDownMs };
      const seen = { loadRps: loadRps(), nowMs: clock.now(), quietSinceMs: this.#quietSinceMs };
      const { desired, quietSinceMs } = autoscale({ ...wanted, ...fixed, ...seen });
      this.#quietSinceMs = quietSinceMs;
      return { ...wanted, desired };
    });
  }

  #addMissing(): void {
    const nowMs = this.#setup.clock.now();
    // Whatever a file says is wanted: nothing is started beyond what the configuration allows now.
    const count = Math.min(this.#wanted.desired, this.#setup.size.max);
    for (let index = 0; index < count; index += 1) {
      if (this.#records.has(index)) continue;
      const phase: Phase = { kind: 'waiting', startAfterMs: nowMs, restart: false };
      const token = this.#newToken(index);
      this.#records.set(index, {
        index,
        token,
        build: null,
        startedAtMs: nowMs,
        restarts: 0,
        streak: 0,
        note: null,
        phase,
      });
    }
  }

  /** What goes wrong with one instance is told in its reading and tried again; the others are not held up. */
  async #advance(index: number): Promise<void> {
    try {
      const unsaved = this.#unsaved.has(index) ? this.#records.get(index) : undefined;
      if (unsaved !== undefined) await this.#saveRecord(unsaved);
      for (let steps = 0; steps < stepsMax; steps += 1) {
        const record = this.#records.get(index);
        if (record === undefined || !(await this.#perform(record, this.#nextStep(record)))) break;
      }
      const record = this.#records.get(index);
      if (record?.phase.kind === 'running') void this.#monitor.checkIfDue(record.token, healthUrl(this.#setup, record));
      await translated(logFile(this.#setup.paths, index), () => boundLog(logFile(this.#setup.paths, index)));
      this.#problems.delete(index);
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      this.#problems.set(index, error.message);
    }
  }

  #nextStep(record: InstanceRecord): Step {
    const { clock, drainMs, local } = this.#setup;
    return nextStep(record, {
      fact: this.#processes.factOf(record),
      ending: this.#processes.endingOf(record),
      wanted: this.#isWanted(record),
      nowMs: clock.now(),
      drainMs,
      stopMsMax: local.stopMsMax,
    });
  }

  /** True: ask for the next step at once. */
  async #perform(record: InstanceRecord, step: Step): Promise<boolean> {
    switch (step.kind) {
      case 'nothing':
        return false;
      case 'save':
        await this.#keep(step.record);
        return true;
      case 'signal':
        this.#processes.signal(record, step.signal);
        await this.#keep(step.record);
        return false;
      case 'remove':
        await removeInstance(this.#setup.paths, record.index);
        this.#records.delete(record.index);
        this.#unsaved.delete(record.index);
        return false;
      case 'start':
        await this.#start(record);
        return false;
    }
  }

  async #start(record: InstanceRecord): Promise<void> {
    const { clock, paths, config, local } = this.#setup;
    if (record.phase.kind !== 'waiting') return;
    const { restart } = record.phase;
    const retryLater = (note: string) => this.#keep(afterFailedStart(record, restart, note, clock.now()));
    const listener = findListener(portOf(this.#setup, record.index));
    if (listener !== null) return retryLater(this.#portTaken(record.index, listener.pid));
    const build = config.build.kind === 'command' ? await commandBuild(config.build, local) : null;
    const claimed: InstanceRecord = {
      ...record,
      token: this.#newToken(record.index),
      build: build?.known ? build.value : null,
      startedAtMs: clock.now(),
      phase: { kind: 'claimed', restart, process: null },
    };
    await saveInstance(paths, claimed);
    const launched = await this.#launch(claimed, restart);
    if (launched instanceof LaunchError) return retryLater(launched.message);
    try {
      await saveInstance(paths, { ...claimed, phase: { kind: 'claimed', restart, process: launched.identity } });
    } catch (error) {
      launched.abandon();
      throw error;
    }
    this.#processes.add(claimed.token, launched.child);
    launched.proceed();
    await this.#keep(afterStart(claimed, launched.identity, restart));
  }

  async #launch(record: InstanceRecord, restart: boolean): Promise<Launched | LaunchError> {
    const { local, env, paths } = this.#setup;
    const fill = (text: string) => filled(this.#setup, record.index, text);
    const file = logFile(paths, record.index);
    const title = `${restart ? 'restart' : 'start'} of ${instanceName(this.#setup, record.index)} at ${new Date(record.startedAtMs).toISOString()}`;
    await translated(file, () => beginLog(file, title, restart));
    try {
      return await launch({
        command: local.command.map(fill),
        workingDirectory: local.workingDirectory,
        env: { ...env, ...Object.fromEntries(Object.entries(local.env).map(([name, value]) => [name, fill(value)])) },
        token: record.token,
        logFile: file,
      });
    } catch (error) {
      if (error instanceof LaunchError) return error;
      throw error;
    }
  }

  #portTaken(index: number, pid: number | null): string {
    const by = pid === null ? 'another process' : `process ${pid}`;
    const remedy = 'free the port, or give the group other `ports` in drover.yaml';
    return `not started: port ${portOf(this.#setup, index)} is in use by ${by}, which Drover did not start and does not stop; ${remedy}`;
  }

  #isWanted(record: InstanceRecord): boolean {
    return record.index < this.#wanted.desired;
  }

  /** Memory first: a step that was taken counts even if the disk is full, and is written when it can be. */
  async #keep(record: InstanceRecord): Promise<void> {
    this.#records.set(record.index, record);
    this.#unsaved.add(record.index);
    await this.#saveRecord(record);
  }

  async #saveRecord(record: InstanceRecord): Promise<void> {
    await saveInstance(this.#setup.paths, record);
    this.#unsaved.delete(record.index);
  }

  #newToken(index: number): string {
    return `${this.#setup.paths.tokenPrefix}${index}/${randomUUID()}`;
  }
}
