import type { Reading } from './reading.ts';

/**
 * What one balancer process tells of one backend at one moment. All counters are cumulative since the process started
 * (or since somebody cleared them): see ROLLOUT.md §1 for how they become attempts and failures.
 */
export type BackendReading = {
  /** Changes whenever the balancer's process does (HAProxy: pid and start time). */
  readonly process: string;
  readonly servers: readonly ServerReading[];
  readonly traits: BackendTraits;
};

export type ServerReading = {
  readonly name: string;
  /** `host:port`, null where the balancer does not tell. */
  readonly address: string | null;
  /** The weight in force, 0..256, as last written or configured (not scaled by slow start). */
  readonly weight: number;
  /** The weight that a reload brings back (`srv_iweight`). */
  readonly configuredWeight: number;
  readonly admin: AdminState;
  /** What a reload brings back; `ready` unless the configuration says `disabled`. */
  readonly configuredAdmin: Reading<AdminState>;
  readonly health: Health;
  readonly counters: ServerCounters;
  /** Features that Drover has to refuse or respect, by the balancer's own word: `backup`, `track`, `agent-check`, `cookie`, `server-template`, `slowstart`, `observe`, `maxconn`. */
  readonly features: readonly string[];
};

export type AdminState = 'ready' | 'drain' | 'maint';
/** `unchecked`: the balancer has no health check for this server, so it says nothing about its health. */
export type Health = 'up' | 'down' | 'starting' | 'unchecked';

export type ServerCounters = {
  /** Attempts given to the server, retries included, also those at the same server. HAProxy tells them by `connect` and `reuse`, and not by `lbtot`. */
  readonly attempts: number;
  readonly rsp1xx: number;
  readonly rsp2xx: number;
  readonly rsp3xx: number;
  readonly rsp4xx: number;
  readonly rsp5xx: number;
  readonly srvAbrt: number;
  readonly econ: number;
  readonly eresp: number;
  readonly wretr: number;
  readonly wredis: number;
  /** Streams open now: a gauge. */
  readonly scur: number;
};

/** Of a server that was given nothing yet. */
export const zeroCounters: ServerCounters = {
  attempts: 0,
  rsp1xx: 0,
  rsp2xx: 0,
  rsp3xx: 0,
  rsp4xx: 0,
  rsp5xx: 0,
  srvAbrt: 0,
  econ: 0,
  eresp: 0,
  wretr: 0,
  wredis: 0,
  scur: 0,
};

/** Facts about the backend that decide whether its share can be controlled and its failures counted. */
export type BackendTraits = {
  readonly mode: Reading<'http' | 'tcp'>;
  readonly algorithm: Reading<string>;
  /** How clients are kept on one server: `cookie`, `stick-table`, `hash`; null: they are not. */
  readonly stickiness: Reading<string | null>;
  /** Conditions of `retry-on`, in the balancer's words. */
  readonly retryOn: Reading<readonly string[]>;
  readonly abortOnClose: Reading<boolean>;
  readonly redispatch: Reading<boolean>;
  /**
   * Rules by which requests or answers pass by weights, states or counters, in the balancer's words: `use-server vpc-1`,
   * `option persist`, `force-persist`, `option prefer-last-server`, `http-response set-status`, `http-after-response set-status`.
   */
  readonly bypasses: Reading<readonly string[]>;
  /** Connect plus server time-out in milliseconds: how long an attempt can last. */
  readonly attemptMsMax: Reading<number>;
  /** Why weights and states cannot be written by this way, in sentences; null: they can. */
  readonly readOnly: Reading<ReadOnly | null>;
};

export type ReadOnly = { readonly why: string; readonly remedy: string };
