import { missingAnchors, startOf } from '../core/journal/anchors.ts';
import { seal } from '../core/journal/chain.ts';
import { type Entry, type EventBody, emptyHead, type Head } from '../core/journal/entry.ts';
import { type FleetEvent, fleetOperation } from '../core/journal/fleet.ts';
import { isMove, moveEndedAtSeq } from '../core/move/operation/state.ts';
import { rolloutRules } from '../core/rollout/events.ts';
import { endedAtSeq } from '../core/rollout/state.ts';
import { openChain } from './chain.ts';
import type { OperationPorts } from './operation-ports.ts';
import { PortError } from './ports.ts';

type Writing = Pick<OperationPorts, 'journal' | 'clock' | 'sha256'>;

/** Begins an operation's chain and anchors it in the fleet's. `exists`: the chain has begun already, nothing was written. */
export async function startOperation<Started extends EventBody>(
  ports: Writing,
  operation: string,
  started: Started,
  actor: string,
  rules = rolloutRules,
): Promise<'started' | 'exists'> {
  const draft = { body: started, actor, atMs: ports.clock.now(), rules };
  const { entries, head } = seal(emptyHead(operation), [draft], ports.sha256);
  if ((await ports.journal.append(emptyHead(operation), entries)) === 'conflict') return 'exists';
  await anchor(ports, [startOf(head)]);
  return 'started';
}

/** Adds to the fleet chain what it does not say yet, behind whatever stands there: no operation waits for another. */
export async function anchor(ports: Writing, events: readonly FleetEvent[]): Promise<void> {
  for (;;) {
    const fleet = await ports.journal.read(fleetOperation, 0);
    const missing = events.filter((event) => !fleet.some(({ body }) => saysTheSame(body as FleetEvent, event)));
    if (missing.length === 0) return;
    const drafts = missing.map((body) => ({ body, actor: 'drover', atMs: ports.clock.now(), rules: rolloutRules }));
    const head = headOf(fleet);
    const { entries } = seal(head, drafts, ports.sha256);
    // Whoever was faster may have written the same: it is read again.
    if ((await ports.journal.append(head, entries)) === 'appended') return;
  }
}

/**
 * Writes the anchors of all operations whose writer died between an entry and its anchor. Only where no controller lives: one that
 * does writes its own. A chain that is not what was written is left alone, so that nothing vouches for it.
 */
export async function anchorWhatIsMissing(ports: Writing): Promise<void> {
  const fleet = await ports.journal.read(fleetOperation, 0);
  const missing: FleetEvent[] = [];
  for (const { operation, seq } of await ports.journal.heads()) {
    if (operation === fleetOperation || isWhole(fleet, operation, seq)) continue;
    const chain = await readWritten(ports, operation);
    const endedAt = isMove(chain[0]) ? moveEndedAtSeq(chain) : endedAtSeq(chain);
    missing.push(...missingAnchors(chain, fleet, endedAt));
  }
  await anchor(ports, missing);
}

/** Most operations have ended: their chains need not be read. */
function isWhole(fleet: readonly Entry[], operation: string, seq: number): boolean {
  const anchors = fleet.map(({ body }) => body as FleetEvent).filter((event) => event.operation === operation);
  const has = (kind: FleetEvent['kind'], at: number) => anchors.some((one) => one.kind === kind && one.seq === at);
  return has('operation-started', 1) && has('operation-ended', seq);
}

async function readWritten(ports: Writing, operation: string): Promise<readonly Entry[]> {
  try {
    return await openChain(ports.journal, operation, ports.sha256).catchUp(new AbortController().signal);
  } catch (error) {
    if (error instanceof PortError && error.code === 'corrupt') return [];
    throw error;
  }
}

function saysTheSame(one: FleetEvent, other: FleetEvent): boolean {
  const { kind, operation, seq, hash } = other;
  return one.kind === kind && one.operation === operation && one.seq === seq && one.hash === hash;
}

function headOf(fleet: readonly Entry[]): Head {
  const last = fleet.at(-1);
  return last === undefined ? emptyHead(fleetOperation) : { operation: fleetOperation, seq: last.seq, hash: last.hash };
}
