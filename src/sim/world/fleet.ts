import type { GroupReading, InstanceReading, InstanceState } from '../../core/observed/group.ts';
import { known } from '../../core/observed/reading.ts';
import type { Random } from '../random.ts';
import type { Schedule } from '../schedule.ts';
import type { Side } from './servers.ts';

export type Instance = {
  readonly id: string;
  readonly slot: number;
  state: InstanceState;
  restarts: number;
  /** Ends by itself in a row, each soon after its start. */
  streak: number;
  startedAtMs: number;
  build: string;
  readonly fate: 'fine' | 'never-healthy' | 'flaps' | 'crash-loops';
  /** It has a process, which may not answer yet. */
  running: boolean;
  /** Its process answers; the state that the provider tells may lag behind. */
  answers: boolean;
  gone: boolean;
};

/**
 * The instances of one service in one environment. `desired` is followed as a provider would: one slot per instance, the lowest
 * free slots are filled, the highest leave first. `onChange` is called after every change of an instance.
 */
export class Fleet {
  readonly side: Side;
  size: { min: number; max: number; desired: number };
  instances: Instance[] = [];
  build: string;
  /** When somebody else last changed the size. */
  handAtMs = Number.NEGATIVE_INFINITY;
  /** Until then nothing that was started comes up: the host, the network or something that all of them need is gone. */
  downUntilMs = Number.NEGATIVE_INFINITY;
  /** No more instances than this are to be had at present. */
  capacityMax = Number.POSITIVE_INFINITY;
  readonly #schedule: Schedule;
  readonly #random: Random;
  readonly #options: FleetOptions;
  readonly #onChange: (instance: Instance | null) => void;
  #started = 0;

  constructor(
    side: Side,
    options: FleetOptions,
    schedule: Schedule,
    random: Random,
    onChange: (instance: Instance | null) => void,
  ) {
    this.side = side;
    this.#options = options;
    this.size = { ...options.size };
    this.build = options.build;
    this.#schedule = schedule;
    this.#random = random;
    this.#onChange = onChange;
    for (let slot = 0; slot < this.size.desired; slot++)
      this.instances.push(this.#newInstance(slot, 'healthy', 'fine'));
  }

  read(): GroupReading {
    const instances: InstanceReading[] = [];
    for (const instance of this.instances) {
      instances.push({
        id: instance.id,
        server: serverName(this.side, instance.slot),
        state: instance.state,
        restarts: instance.restarts,
        // Whoever is asked over HTTP tells when he answers again.
        build: instance.state === 'healthy' ? instance.build : null,
        startedAtMs: instance.startedAtMs,
        lastOutput: [],
      });
    }
    return {
      size: this.#options.resizable ? { ...this.size } : null,
      instances,
      build: known(this.buildsRunning()),
    };
  }

  at(slot: number): Instance | undefined {
    for (const instance of this.instances) if (instance.slot === slot) return instance;
    return undefined;
  }

  buildsRunning(): string {
    const builds = new Set(this.instances.filter((one) => one.state !== 'stopping').map((one) => one.build));
    return builds.size === 0 ? this.build : [...builds].sort().join(' + ');
  }

  /** false: its size is somebody else's. */
  get resizable(): boolean {
    return this.#options.resizable;
  }

  healthy(): number {
    let count = 0;
    for (const instance of this.instances) if (instance.state === 'healthy') count++;
    return count;
  }

  resize(size: { readonly min?: number; readonly desired?: number }): void {
    const min = Math.min(size.min ?? this.size.min, this.size.max);
    const desired = Math.max(min, Math.min(size.desired ?? this.size.desired, this.size.max));
    this.size = { min, max: this.size.max, desired };
    this.reconcile();
  }

  /** Follows `desired`, as far as there is capacity. */
  reconcile(): void {
    const staying = this.instances.filter((one) => one.state !== 'stopping');
    for (let count = staying.length; count < Math.min(this.size.desired, this.capacityMax); count++) this.#launch();
    const leaving = staying
      .sort((one, other) => other.slot - one.slot)
      .slice(0, Math.max(0, staying.length - this.size.desired));
    for (const instance of leaving) this.#retire(instance);
  }

  /** The process ends by itself; the provider starts it again. */
  kill(instance: Instance): void {
    if (instance.state === 'stopping' || instance.gone || !instance.running) return;
    instance.running = false;
    instance.answers = false;
    instance.streak = this.#schedule.nowMs - instance.startedAtMs < stableMs ? instance.streak + 1 : 1;
    this.#onChange(instance);
    this.#schedule.after(this.#random.between(2000, 6000), () => {
      if (instance.gone || instance.state === 'stopping') return;
      instance.restarts++;
      instance.running = true;
      instance.state = instance.streak >= crashLoopStreak ? 'crash-looping' : 'starting';
      instance.startedAtMs = this.#schedule.nowMs;
      this.#onChange(instance);
      this.#comeUp(instance);
    });
  }

  /** Every process ends, and none answers again before `lastsMs` are over. */
  goDown(lastsMs: number): void {
    this.downUntilMs = this.#schedule.nowMs + lastsMs;
    for (const instance of this.instances) this.kill(instance);
  }

  /** So many are gone at once, without a word: what they ran on is gone. */
  lose(count: number): void {
    const lost = this.instances.slice(0, count);
    this.instances = this.instances.slice(count);
    for (const instance of lost) {
      instance.running = false;
      instance.answers = false;
      instance.gone = true;
      this.#onChange(instance);
    }
    this.reconcile();
  }

  /** A release: every instance is replaced in place by the new build, one after another or all at once. */
  deploy(build: string, betweenMs: number): void {
    this.build = build;
    let delayMs = 0;
    for (const instance of this.instances) {
      this.#schedule.after(delayMs, () => {
        if (instance.gone || this.build !== build) return;
        instance.build = build;
        this.#onChange(instance);
      });
      delayMs += betweenMs;
    }
  }

  #launch(): void {
    const taken = new Set(this.instances.map((one) => one.slot));
    let slot = 0;
    while (taken.has(slot)) slot++;
    if (slot >= this.#options.slots) return;
    const instance = this.#newInstance(slot, 'starting', this.#options.fate(this.side));
    this.instances.push(instance);
    this.#onChange(instance);
    this.#comeUp(instance);
  }

  #newInstance(slot: number, state: InstanceState, fate: Instance['fate']): Instance {
    this.#started++;
    return {
      id: `${this.side}-${slot}-${this.#started}`,
      slot,
      state,
      restarts: 0,
      streak: 0,
      startedAtMs: this.#schedule.nowMs,
      build: this.build,
      fate,
      running: true,
      answers: state === 'healthy',
      gone: false,
    };
  }

  #comeUp(instance: Instance): void {
    const [fastMs, slowMs] = instance.fate === 'crash-loops' ? endsAfterMs : this.#options.startMs;
    const { startedAtMs } = instance;
    this.#schedule.after(this.#random.between(fastMs, slowMs), () => {
      if (instance.gone || instance.state === 'stopping') return;
      // The process that was to come up has ended meanwhile.
      if (!instance.running || instance.startedAtMs !== startedAtMs) return;
      if (this.#schedule.nowMs < this.downUntilMs) return this.#comeUp(instance);
      instance.build = this.build;
      if (instance.fate === 'crash-loops' && !this.#options.healed()) {
        this.kill(instance);
        return;
      }
      if (instance.fate === 'never-healthy' && !this.#options.healed()) {
        instance.state = 'unhealthy';
        this.#onChange(instance);
        this.#schedule.after(60_000, () => this.#comeUp(instance));
        return;
      }
      instance.state = 'healthy';
      instance.answers = true;
      this.#onChange(instance);
      if (instance.fate === 'flaps') this.#flap(instance);
    });
  }

  #flap(instance: Instance): void {
    this.#schedule.after(this.#random.between(10_000, 60_000), () => {
      if (instance.gone || instance.state === 'stopping') return;
      if (this.#options.healed()) {
        instance.state = 'healthy';
        this.#onChange(instance);
        return;
      }
      instance.state = instance.state === 'healthy' ? 'unhealthy' : 'healthy';
      this.#onChange(instance);
      this.#flap(instance);
    });
  }

  #retire(instance: Instance): void {
    instance.state = 'stopping';
    this.#onChange(instance);
    this.#schedule.after(this.#random.between(10_000, 40_000), () => {
      instance.gone = true;
      instance.answers = false;
      this.instances = this.instances.filter((one) => one !== instance);
      this.#onChange(instance);
      this.reconcile();
    });
  }
}

export type FleetOptions = {
  readonly size: { readonly min: number; readonly max: number; readonly desired: number };
  /** Server lines that the balancers have for this group. */
  readonly slots: number;
  readonly build: string;
  /** false: an environment without a provider; its size is not Drover's to read or to change. */
  readonly resizable: boolean;
  readonly startMs: readonly [number, number];
  /** Drawn for each instance that is started. */
  fate(side: Side): Instance['fate'];
  /** The world has been healed: nothing fails to start any more. */
  healed(): boolean;
};

export function serverName(side: Side, slot: number): string {
  return `${side === 'origin' ? 'old' : 'new'}-${slot + 1}`;
}

/** As the local provider has it: one that ends three times in a row, each within a minute of its start, is crash-looping. */
const crashLoopStreak = 3;
/** What cannot start says so soon. */
const endsAfterMs = [200, 3000] as const;
const stableMs = 60_000;
