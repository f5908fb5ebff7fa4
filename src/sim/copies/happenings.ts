import type { Random } from '../random.ts';
import type { Schedule } from '../schedule.ts';
import type { CopyScenario, Strike } from './scenario.ts';

const hourMs = 3_600_000;

/** What has happened in a world, and which of its faults strike when. After it is healed none does. */
export class Happenings {
  readonly all: { readonly atMs: number; readonly text: string }[] = [];
  readonly struck: Partial<Record<Strike, number>> = {};
  readonly #schedule: Schedule;
  readonly #scenario: CopyScenario;
  readonly #random: Random;
  readonly #isHealed: () => boolean;
  readonly #randoms = new Map<Strike, Random>();
  /** Crash points that are left until a death that was announced; null: none is. */
  #left: number | null = null;

  constructor(schedule: Schedule, scenario: CopyScenario, random: Random, isHealed: () => boolean) {
    [this.#schedule, this.#scenario, this.#random, this.#isHealed] = [schedule, scenario, random, isHealed];
  }

  note(text: string): void {
    this.all.push({ atMs: this.#schedule.nowMs, text });
  }

  count(strike: Strike): void {
    this.struck[strike] = (this.struck[strike] ?? 0) + 1;
  }

  randomOf(strike: Strike): Random {
    const known = this.#randoms.get(strike) ?? this.#random.fork(strike);
    this.#randoms.set(strike, known);
    return known;
  }

  /** Whether it strikes now: the scenario has its chance. */
  strikes(strike: Strike): boolean {
    const chance = this.#scenario.faults[strike];
    if (chance === undefined || this.#isHealed() || !this.randomOf(strike).chance(chance)) return false;
    this.count(strike);
    return true;
  }

  /** Again and again, as often in an hour as the scenario says. `act` tells whether there was anything to strike. */
  every(strike: Strike, act: (random: Random) => boolean): void {
    const perHour = this.#scenario.faults[strike];
    if (perHour === undefined) return;
    const random = this.randomOf(strike);
    const next = () =>
      this.#schedule.after(random.exponential(hourMs / perHour), () => {
        if (this.#isHealed()) return;
        if (act(random)) this.count(strike);
        next();
      });
    next();
  }

  /** A controller dies a few points from here. */
  doom(random: Random): void {
    this.#left = random.integer(0, 12);
  }

  isDoomed(): boolean {
    if (this.#left === null || this.#isHealed() || this.#left-- > 0) return false;
    this.#left = null;
    return true;
  }
}
