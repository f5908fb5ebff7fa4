/**
 * The configuration as the rest of Drover sees it: parsed, checked and complete. Nothing here is optional because a user
 * may leave it out; it is optional (null) because its absence means something. Times are milliseconds, rates per second,
 * fractions 0..1.
 */
export type Config = {
  readonly name: string;
  readonly environments: Readonly<Record<string, EnvironmentConfig>>;
  readonly balancers: Readonly<Record<string, BalancerConfig>>;
  readonly services: Readonly<Record<string, ServiceConfig>>;
  readonly waves: readonly WaveConfig[];
  readonly notify: readonly NotifyConfig[];
  /** Directory of the configuration file; relative paths inside it have been made absolute against it. */
  readonly directory: string;
};

/** `none`: the instances belong to somebody else's tools; Drover only sees them at the balancer. */
export type EnvironmentConfig = { readonly name: string; readonly provider: 'none' | 'local' };

export type BalancerConfig =
  | {
      readonly kind: 'haproxy';
      readonly name: string;
      /** One HAProxy process each: the path of a UNIX socket, or `host:port`. */
      readonly sockets: readonly string[];
      /** haproxy.cfg, read for what the runtime socket does not tell; null: those traits are unknown. */
      readonly configFile: string | null;
    }
  | {
      readonly kind: 'embedded';
      readonly name: string;
      /** `host:port` of the traffic. */
      readonly listen: string;
      /** Path of the control socket. */
      readonly socket: string;
      /** The group that gets the traffic when the balancer starts: what the weights of haproxy.cfg are to HAProxy. */
      readonly carries: 'origin' | 'destination';
    };

export type ServiceConfig = {
  readonly name: string;
  readonly owner: string;
  /** `stateless`, `edge`, `stateful` … free text, shown in plans. */
  readonly kind: string;
  readonly objective: Objective | null;
  readonly dependencies: readonly Dependency[];
  readonly origin: GroupConfig;
  readonly destination: GroupConfig;
  /** Where the balancers count this service's attempts; never empty. */
  readonly traffic: readonly TrafficConfig[];
  readonly rollout: PolicyConfig;
};

/** `failureRate` is λ0: the failed fraction of attempts that users accept. */
export type Objective = { readonly failureRate: number };
export type Dependency = { readonly service: string; readonly kind: 'hard' | 'soft' | 'telemetry' };

/** One backend of one balancer, and which of its servers are whose (globs over server names). */
export type TrafficConfig = {
  readonly balancer: string;
  readonly backend: string;
  readonly origin: string;
  readonly destination: string;
};

export type GroupConfig = {
  readonly environment: string;
  /** null only for provider `none`. `min === max`: a fixed size. */
  readonly size: { readonly min: number; readonly max: number } | null;
  /** Requests per second that one instance can carry, if declared. */
  readonly capacityRps: number | null;
  readonly build: BuildConfig;
  /** null for provider `none`. */
  readonly local: LocalGroupConfig | null;
};

/**
 * How the identity of the running build is learned. `declared`: it is what the configuration says. `http`: GET `path` on each
 * instance answers with it. `command`: command line, variables and the content of `files` hashed together (local provider).
 */
export type BuildConfig =
  | { readonly kind: 'declared'; readonly build: string }
  | { readonly kind: 'http'; readonly path: string }
  | { readonly kind: 'command'; readonly files: readonly string[] };

/** Real processes on this machine, one per instance. `{port}` and `{instance}` in `command` and `env` are replaced. */
export type LocalGroupConfig = {
  readonly command: readonly string[];
  readonly workingDirectory: string;
  readonly env: Readonly<Record<string, string>>;
  /** Instance i (0-based) listens on `firstPort + i`. */
  readonly firstPort: number;
  /** Instance i is the server `serverName` with `{index}` replaced by i + 1. */
  readonly serverName: string;
  readonly health: HealthConfig;
  /** Time between SIGTERM and SIGKILL. */
  readonly stopMsMax: number;
};

export type HealthConfig = {
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Consecutive successes before healthy, consecutive failures before unhealthy. */
  readonly rise: number;
  readonly fall: number;
  /** An instance that is not healthy after this long counts as failed to start. */
  readonly startMsMax: number;
};

export type WaveConfig = { readonly name: string; readonly services: readonly string[]; readonly value: string };

export type PolicyConfig = RolloutSettings & {
  readonly steps: readonly Step[];
  /** Share of the origin in the last judged step. */
  readonly controlShare: number;
};

/** What a rollout goes by in every step. */
export type RolloutSettings = {
  readonly judge: JudgeSettings;
  /** Fraction above present traffic that the origin must be able to carry: 0.2. */
  readonly reserve: number;
  /** How long the observed share may take to come near the requested one, and a group to become healthy. */
  readonly settleMsMax: number;
  readonly capacityMsMax: number;
  /** How long requests in flight may take to end when a group leaves. */
  readonly drainMsMax: number;
  /** The drill takes the way back after so many requests or after `ms`; one that takes longer than `boundMs` fails. */
  readonly drill: { readonly requests: number; readonly ms: number; readonly boundMs: number };
  /** How long an attempt can last (connect + server time-out): the lag of ROLLOUT.md §2. */
  readonly attemptMsMax: number;
};

/**
 * `capacity`: `instances` destination servers at full weight, the share follows from the sizes. `weight`: the weights make
 * the share; `instances` null: as many as the load needs (or as there are, where Drover cannot resize).
 */
export type Step =
  | { readonly kind: 'capacity'; readonly instances: number; readonly bakeMs: number }
  | { readonly kind: 'weight'; readonly share: number; readonly instances: number | null; readonly bakeMs: number };

export type JudgeSettings = {
  readonly alpha: number;
  readonly beta: number;
  /** R0: the ratio of failure rates that is tolerated. */
  readonly tolerate: number;
  /** R_bad: the ratio that promotion has to exclude. */
  readonly bad: number;
  /** φ where the origin's own dispersion is unknown. */
  readonly dispersion: number;
};

export type NotifyConfig =
  | { readonly kind: 'webhook'; readonly url: string }
  | { readonly kind: 'slack'; readonly url: string; readonly emoji: string };
