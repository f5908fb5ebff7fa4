import type { Account } from '../../../core/move/account.ts';
import type { SegmentFiles } from '../../../io/kafka/ledger/segment-files.ts';
import type { MoverEvent } from '../../../io/kafka/mover/events.ts';
import type { MovedPartition } from '../../../io/kafka/mover/moved-partition.ts';
import type { Feed, FeedPlan } from '../feed.ts';
import type { KafkaScenario } from '../scenario.ts';
import type { SimPartition } from '../world/partition.ts';
import { type Wrong, wrongsOf } from './copy.ts';
import { linesOn } from './lines.ts';

export type Ended = {
  readonly scenario: KafkaScenario;
  readonly plan: FeedPlan | null;
  readonly partition: MovedPartition;
  /** Why the source stopped it; null: it did not. */
  readonly stopped: string | null;
  readonly source: Feed;
  readonly target: SimPartition;
  /** What all movers have told of the partition. */
  readonly told: readonly MoverEvent[];
  readonly movers: number;
  readonly files: SegmentFiles;
  account(): Account;
};

/** What is wrong with one partition at the end of the world, and with what the mover says of it. */
export function verdictOf(ended: Ended): Wrong | null {
  const { partition, stopped, source } = ended;
  const { phase } = partition.writer;
  const wrongs = found(ended);
  if (stopped !== null) {
    if (source.partition.lostBelow !== null || 'bit-flip' in ended.scenario.faults) return null;
    return { check: 'damage has its cause', text: `it stopped, and the source has lost nothing: ${stopped}` };
  }
  const [first] = wrongs;
  if (phase.kind === 'damaged') return ofDamage(ended, first ?? null, JSON.stringify(phase.damage));
  if (phase.kind !== 'writing') return { check: 'everything ends', text: `it ended as ${JSON.stringify(phase)}` };
  const isExpected = mayBeDamaged(ended) || source.partition.lostBelow !== null;
  if (first !== undefined && isExpected && first.check === 'records equal')
    return { check: 'damage never silent', text: first.text };
  if (first !== undefined) return first;
  const end = partition.plan.end ?? source.partition.truth.log.end;
  const at = partition.ledger.end.source;
  return at >= end ? null : { check: 'everything ends', text: `the ledger ends at ${at}, not at ${end}` };
}

function ofDamage(ended: Ended, wrong: Wrong | null, damage: string): Wrong | null {
  if (!mayBeDamaged(ended))
    return { check: 'nothing is damaged while it is remembered', text: `${damage}; ${wrong?.text}` };
  // Among batches that are all the same nobody sees that one stands in place of another.
  const isExcused = ended.plan?.isMonotonous === true || 'power-cut' in ended.scenario.faults;
  if (wrong !== null || isExcused) return null;
  return { check: 'damage has its cause', text: `nothing is wrong with the target: ${damage}` };
}

function found(ended: Ended): Wrong[] {
  const { partition, source, target, told, files } = ended;
  try {
    const { lines, unproven } = linesOn(files);
    const copied = { start: partition.plan.start, lines, account: ended.account(), unproven };
    const view = { history: source.history, target: target.truth.log, fatesMayChange: fatesMayChange(ended) };
    const toldLines = told.flatMap((event) => (event.kind === 'unproven' ? event.lines : []));
    const silent = unproven.find((line) => !toldLines.some(({ from, to }) => from === line.from && to === line.to));
    const wrongs = wrongsOf({ ...copied, ...view });
    if (silent === undefined) return wrongs;
    return [
      { check: 'damage never silent', text: `nobody told that ${JSON.stringify(silent)} is unproven` },
      ...wrongs,
    ];
  } catch (error) {
    return [{ check: 'the mover goes on', text: error instanceof Error ? error.message : String(error) }];
  }
}

/**
 * Whether the source may have said later that a transaction was committed, of which it had said that it was aborted: it has lost the marker in
 * an unclean election. A mover that goes on for as long tells of it, or sees a hole where the marker may have been.
 */
function fatesMayChange({ scenario, source, told, movers }: Ended): boolean {
  if (source.partition.lostBelow === null) return false;
  const wasTold = told.some(({ kind }) => kind === 'source-stopped' || kind === 'source-truncated');
  return wasTold || movers > 2 || 'compaction' in scenario.faults || 'retention' in scenario.faults;
}

/** Whether the target may have forgotten us when a request came late, lost what it had taken, or been written by somebody else. */
function mayBeDamaged({ scenario, plan, target }: Ended): boolean {
  const { arrivedLate } = target;
  const ageMs = plan === null || plan.isMonotonous ? target.plan.expirationMs : plan.ageMs;
  const isForgotten = ageMs + scenario.healAtMs >= target.plan.expirationMs && arrivedLate !== 'never';
  const { faults } = scenario;
  // What was cleaned meanwhile cannot be compared with what the lines that were lost with the power spoke of.
  const isUnproven = 'power-cut' in faults && ('compaction' in faults || 'retention' in faults);
  const isLost = target.lostBelow !== null || 'foreign-write' in faults;
  return isForgotten || arrivedLate === 'too late' || isUnproven || isLost;
}
