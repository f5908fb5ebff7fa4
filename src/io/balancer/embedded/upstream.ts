import { Pool } from 'undici';
import {
  type AdminState,
  type Health,
  type ServerCounters,
  type ServerReading,
  zeroCounters,
} from '../../../core/observed/backend.ts';
import { known } from '../../../core/observed/reading.ts';
import { type BackendConfig, hostPort, type ServerConfig } from './config.ts';

/**
 * One server of a backend: what is configured, what was written at run time, what checks and connections tell, and its
 * counters, which only grow (`scur` is a gauge) and mean what HAProxy's mean.
 *
 * checked:    starting → up ⇄ down (rise, fall); connections that fail in a row eject it: down until the check passes again
 * unchecked:  usable until connections that fail in a row eject it; usable again after `ejection.ms`, and then one more
 *             failure ejects it again
 */
export class UpstreamServer {
  readonly config: ServerConfig;
  readonly pool: Pool;
  readonly counters: { -readonly [Name in keyof ServerCounters]: number } = { ...zeroCounters };
  #weight: number;
  /** What the configuration says; it may be read again while the process runs. */
  configuredWeight: number;
  #admin: AdminState;
  #health: Health;
  #connectFailures = 0;
  readonly #backend: BackendConfig;
  readonly #changed: () => void;

  /** `changed` is called after every change of `effectiveWeight`. */
  constructor(config: ServerConfig, backend: BackendConfig, changed: () => void) {
    this.config = config;
    this.#backend = backend;
    this.#changed = changed;
    this.#weight = config.weight;
    this.configuredWeight = config.weight;
    this.#admin = config.admin;
    this.#health = backend.check === null ? 'unchecked' : 'starting';
    this.pool = new Pool(`http://${hostPort(config.address)}`, {
      connections: null,
      pipelining: 1,
      connect: { timeout: backend.connectMsMax },
      headersTimeout: backend.responseMsMax,
      bodyTimeout: backend.responseMsMax,
      // Below the 5 s after which many servers close an idle connection; what a server announces wins.
      keepAliveTimeout: 4000,
    });
  }

  /** The weight with which it takes part in the next choice; 0: it gets nothing. */
  get effectiveWeight(): number {
    const usable = this.#admin === 'ready' && (this.#health === 'up' || this.#health === 'unchecked');
    return usable ? this.#weight : 0;
  }

  setWeight(weight: number): void {
    this.#weight = weight;
    this.#changed();
  }

  setAdmin(admin: AdminState): void {
    this.#admin = admin;
    this.#changed();
  }

  get health(): Health {
    return this.#health;
  }

  setHealth(health: 'up' | 'down'): void {
    if (health === 'up') this.#connectFailures = 0;
    this.#health = health;
    this.#changed();
  }

  connected(): void {
    this.#connectFailures = 0;
  }

  connectFailed(): void {
    this.#connectFailures += 1;
    const { connectFailures, ms } = this.#backend.ejection;
    if (this.#connectFailures < connectFailures || this.#health === 'down') return;
    this.#health = 'down';
    this.#changed();
    if (this.#backend.check !== null) return;
    setTimeout(() => {
      this.#connectFailures = connectFailures - 1;
      this.#health = 'unchecked';
      this.#changed();
    }, ms).unref();
  }

  read(): ServerReading {
    return {
      name: this.config.name,
      address: hostPort(this.config.address),
      weight: this.#weight,
      configuredWeight: this.configuredWeight,
      admin: this.#admin,
      configuredAdmin: known(this.config.admin),
      health: this.#health,
      counters: this.counters,
      features: [],
    };
  }
}
