import type { HealthConfig } from '../../../core/fleet/config.ts';
import type { Clock } from '../../../engine/ports.ts';
import { httpGet } from '../http-get.ts';

export type Verdict = 'undecided' | 'healthy' | 'unhealthy';

/** `problem`: why the last check failed; null: it did not, or there was none. */
export type Health = {
  readonly verdict: Verdict;
  readonly successes: number;
  readonly failures: number;
  readonly problem: string | null;
};

export const unchecked: Health = { verdict: 'undecided', successes: 0, failures: 0, problem: null };

/** `rise` successes in a row make it healthy, `fall` failures in a row make one that was decided unhealthy. */
export function afterCheck(
  health: Health,
  problem: string | null,
  limits: Pick<HealthConfig, 'rise' | 'fall'>,
): Health {
  if (problem === null) {
    const successes = health.successes + 1;
    return { verdict: successes >= limits.rise ? 'healthy' : health.verdict, successes, failures: 0, problem };
  }
  const failures = health.failures + 1;
  const fallen = health.verdict === 'healthy' && failures >= limits.fall;
  return { verdict: fallen ? 'unhealthy' : health.verdict, successes: 0, failures, problem };
}

type Watched = { health: Health; checkedAtMs: number; running: Promise<void> | null };

/**
 * The health of instances as this process has seen it; nothing is taken over from an earlier process. Keyed by token, so a
 * new start begins unchecked.
 */
export class HealthMonitor {
  readonly #config: HealthConfig;
  readonly #clock: Clock;
  readonly #watched = new Map<string, Watched>();

  constructor(config: HealthConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  healthOf(token: string): Health {
    return this.#watched.get(token)?.health ?? unchecked;
  }

  /** Checks once if a check is due. Never rejects. */
  checkIfDue(token: string, url: string): Promise<void> {
    const watched = this.#watch(token);
    const due = this.#clock.monotonic() - watched.checkedAtMs >= this.#config.intervalMs;
    if (watched.running === null && due) {
      watched.running = this.#check(watched, url).finally(() => {
        watched.running = null;
      });
    }
    return watched.running ?? Promise.resolve();
  }

  /**
   * For an instance that was running before this process looked at it: checks at once and as often as it takes to call it
   * healthy, or until one check fails. Never rejects.
   */
  async decide(token: string, url: string): Promise<void> {
    await this.checkIfDue(token, url);
    for (;;) {
      const { verdict, failures } = this.healthOf(token);
      if (verdict !== 'undecided' || failures > 0) return;
      await this.#check(this.#watch(token), url);
    }
  }

  /** Forgets every instance but these. */
  keepOnly(tokens: ReadonlySet<string>): void {
    for (const token of this.#watched.keys()) if (!tokens.has(token)) this.#watched.delete(token);
  }

  #watch(token: string): Watched {
    const watched = this.#watched.get(token) ?? { health: unchecked, checkedAtMs: -Infinity, running: null };
    this.#watched.set(token, watched);
    return watched;
  }

  async #check(watched: Watched, url: string): Promise<void> {
    watched.checkedAtMs = this.#clock.monotonic();
    const problem = await check(url, this.#config.timeoutMs);
    watched.health = afterCheck(watched.health, problem, this.#config);
  }
}

async function check(url: string, timeoutMs: number): Promise<string | null> {
  try {
    const { status } = await httpGet(url, timeoutMs);
    return status >= 200 && status < 400 ? null : `answered with status ${status}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
