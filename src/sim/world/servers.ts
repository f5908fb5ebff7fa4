import {
  type AdminState,
  type BackendReading,
  type Health,
  type ServerReading,
  zeroCounters,
} from '../../core/observed/backend.ts';
import { known } from '../../core/observed/reading.ts';

export type Side = 'origin' | 'destination';

/** What a person has set: when, and which controllers had read what was there before. */
export type Hand = { readonly atMs: number; readonly seenBy: ReadonlySet<string> };

/** One server line of a balancer, with what it has truly done. `slot`: the instance it stands for; null: not one of ours. */
export type Server = {
  readonly name: string;
  readonly side: Side | 'other';
  readonly slot: number | null;
  weight: number;
  admin: AdminState;
  /** The balancer's configuration has this line, or will not have it from the next reload on. */
  present: boolean;
  /** What a check sees; of a server that the balancer does not check nobody asks it. */
  health: Health;
  readonly checked: boolean;
  readonly configuredWeight: number;
  readonly configuredAdmin: AdminState;
  attempts: number;
  answered: number;
  refused: number;
  errors5xx: number;
  brokenAnswers: number;
  inFlight: number;
  /** Requests that hang until the balancer gives them up. */
  hung: { readonly endsAtMs: number; count: number }[];
  /** When a person last wrote this server. */
  handAtMs: number;
  /** A person gave it weight 0, and nobody has given it another since. */
  isPutAside: boolean;
  /** When a person put it into maint or drain, while it is there, and which controllers had read it ready; null: nobody did. */
  out: Hand | null;
  /** When a controller last gave it a state. */
  statedAtMs: number;
  /** When a controller last gave it a weight. */
  weighedAtMs: number;
  /** When a person last gave it less weight, and which controllers knew what it had had; null: another weight came since. */
  lowered: Hand | null;
  /** When a write that its sender had given up landed here. */
  strayAtMs: number;
  /** When a reload last brought back what is configured. */
  reloadedAtMs: number;
};

/** Found in `admin`: maint may stand in the configuration (`disabled`); a drain is somebody's command, which a reload forgets. */
export function newServer(
  name: string,
  side: Server['side'],
  slot: number | null,
  weight: number,
  admin: AdminState = 'ready',
  checked = true,
): Server {
  return {
    name,
    side,
    slot,
    weight,
    admin,
    present: true,
    health: slot === null ? 'up' : 'down',
    checked,
    configuredWeight: weight,
    configuredAdmin: admin === 'maint' ? 'maint' : 'ready',
    attempts: 0,
    answered: 0,
    refused: 0,
    errors5xx: 0,
    brokenAnswers: 0,
    inFlight: 0,
    hung: [],
    handAtMs: Number.NEGATIVE_INFINITY,
    isPutAside: false,
    out: null,
    statedAtMs: Number.NEGATIVE_INFINITY,
    weighedAtMs: Number.NEGATIVE_INFINITY,
    lowered: null,
    strayAtMs: Number.NEGATIVE_INFINITY,
    reloadedAtMs: Number.NEGATIVE_INFINITY,
  };
}

/** The weight with which a server takes new requests now. */
export function carriedWeight(server: Server): number {
  return server.admin === 'ready' && (server.health === 'up' || !server.checked) ? server.weight : 0;
}

export function hungOf(server: Server): number {
  let count = 0;
  for (const group of server.hung) count += group.count;
  return count;
}

/** What a new process of the balancer forgets; requests under way are served to their end by the old one, unseen. */
export function clearCounters(server: Server, newProcess: boolean): void {
  server.attempts = 0;
  server.answered = 0;
  server.refused = 0;
  server.errors5xx = 0;
  server.brokenAnswers = 0;
  if (!newProcess) return;
  server.inFlight = 0;
  server.hung = [];
}

export function readBackend(process: string, servers: readonly Server[], attemptMsMax: number): BackendReading {
  return { process, servers: servers.map(readServer), traits: traitsOf(attemptMsMax) };
}

const configuredReady = known<AdminState>('ready');
const configuredMaint = known<AdminState>('maint');

function readServer(server: Server): ServerReading {
  return {
    name: server.name,
    address: null,
    weight: server.weight,
    configuredWeight: server.configuredWeight,
    admin: server.admin,
    configuredAdmin: server.configuredAdmin === 'ready' ? configuredReady : configuredMaint,
    // HAProxy checks nothing in maint.
    health: server.checked && server.admin !== 'maint' ? server.health : 'unchecked',
    counters: {
      ...zeroCounters,
      attempts: server.attempts,
      rsp2xx: server.answered,
      rsp5xx: server.errors5xx,
      econ: server.refused,
      eresp: server.brokenAnswers,
      scur: server.inFlight + hungOf(server),
    },
    features: noFeatures,
  };
}

const noFeatures: readonly string[] = [];
const traitsByLimit = new Map<number, BackendReading['traits']>();

/** A balancer with nothing that a rollout would suffer from. */
export function traitsOf(attemptMsMax: number): BackendReading['traits'] {
  const made = traitsByLimit.get(attemptMsMax) ?? {
    mode: known('http'),
    algorithm: known('roundrobin'),
    stickiness: known(null),
    retryOn: known([]),
    abortOnClose: known(false),
    redispatch: known(false),
    bypasses: known([]),
    attemptMsMax: known(attemptMsMax),
    readOnly: known(null),
  };
  traitsByLimit.set(attemptMsMax, made);
  return made;
}
