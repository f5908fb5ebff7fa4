import { type Account, emptyAccount, withAccounted } from '../../../core/move/account.ts';
import type { LedgerLine, Position, SentLine } from '../../../core/move/ledger-lines.ts';
import { OffsetMap } from '../../../core/move/offset-map.ts';
import { MalformedBytes } from '../../../io/kafka/bytes/malformed.ts';
import { digestsOf, type History, type Past } from '../history.ts';
import type { Log } from '../world/log.ts';
import type { CheckName } from './violation.ts';

export type Wrong = { readonly check: CheckName; readonly text: string };

export type Copied = {
  readonly start: Position;
  readonly lines: readonly LedgerLine[];
  readonly account: Account;
  readonly history: History;
  readonly target: Log;
  /** What the ledger says that it could not be compared with the source any more. */
  readonly unproven: readonly SentLine[];
  /** What was aborted once may be committed by now. */
  readonly fatesMayChange: boolean;
};

/** Whether the target has what the ledger says, and the ledger says what the source had. Looks at logs and lines only. */
export function wrongsOf(copied: Copied): Wrong[] {
  const broken = brokenChain(copied);
  if (broken !== null) return [broken];
  const map = new OffsetMap(copied.start);
  for (const line of copied.lines) map.add(line);
  return [...onTarget(copied, map), ...ofLines(copied), ...ofAccount(copied)];
}

function brokenChain({ start, lines }: Copied): Wrong | null {
  let at = start;
  for (const line of lines) {
    const isNext =
      line.from === at.source && line.to > line.from && (line.kind === 'left' || line.target === at.target);
    if (!isNext) return { check: 'map monotone', text: `${JSON.stringify(line)} follows ${JSON.stringify(at)}` };
    at = { source: line.to, target: line.kind === 'left' ? at.target : at.target + line.count };
  }
  return null;
}

function onTarget({ target, history, start, unproven }: Copied, map: OffsetMap): Wrong[] {
  const wrongs: Wrong[] = [];
  let next = start.target;
  for (const { bytes, base } of target.batches) {
    try {
      for (const { offset, digest } of digestsOf(bytes)) {
        if (offset < next) wrongs.push({ check: 'no duplicate', text: `offset ${offset} of the target stands twice` });
        if (offset > next) wrongs.push({ check: 'no gap', text: `offset ${next} of the target is missing` });
        next = offset + 1;
        if (offset >= map.end.target || unproven.some((line) => isWithin(line.target, line.count, offset))) continue;
        const source = map.sourceOf(offset);
        const past = history.at(source);
        if (past?.digest === digest && (past.transaction === 'none' || past.wasCommitted)) continue;
        if (history.wasAt(source, digest)) continue;
        const what =
          past === null ? 'nothing' : `${past.transaction} ${past.digest === digest ? 'same' : 'another one'}`;
        wrongs.push({ check: 'records equal', text: `target ${offset} is mapped to source ${source}: ${what} there` });
      }
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      wrongs.push({ check: 'records equal', text: `the batch at ${base} of the target: ${error.message}` });
    }
  }
  const end = map.end.target;
  if (next > end) wrongs.push({ check: 'no duplicate', text: `the target ends at ${next}, the map at ${end}` });
  if (next < end) wrongs.push({ check: 'no gap', text: `the target ends at ${next}, the map at ${end}` });
  return wrongs;
}

function ofLines({ lines, history, unproven, fatesMayChange }: Copied): Wrong[] {
  return lines.flatMap((line) => {
    const isUnproven = unproven.some(({ from, to }) => line.kind === 'sent' && line.from === from && line.to === to);
    for (let offset = isUnproven ? line.to : line.from; offset < line.to; offset += 1) {
      const past = history.at(offset);
      if (line.kind === 'sent' ? isKept(line, offset) || isAbsent(past) : isTrue(line.why, past)) continue;
      if (line.kind === 'left' && line.why === 'aborted' && fatesMayChange && past?.wasAborted === true) continue;
      if (line.kind === 'left' && past?.isGone === true && history.wasAt(offset, line.why)) continue;
      const what =
        past === null ? 'nothing was' : `${past.digest === null ? 'a marker' : `a ${past.transaction} record`} is`;
      const check = past !== null && past.transaction !== 'aborted' && past.digest !== null ? 'no gap' : accounting;
      const why = line.kind === 'left' ? line.why : 'hole';
      return [{ check, text: `source ${offset} is left out as ${why}, and ${what} there` }];
    }
    return [];
  });
}

function isWithin(from: number, count: number, offset: number): boolean {
  return offset >= from && offset < from + count;
}

const accounting = 'offsets account exactly';

function isTrue(why: string, past: Past | null): boolean {
  if (why === 'control') return past !== null && past.digest === null;
  if (why === 'aborted') return past?.transaction === 'aborted';
  return isAbsent(past);
}

function isAbsent(past: Past | null): boolean {
  return past === null || past.isGone;
}

function isKept({ from, kept }: SentLine, offset: number): boolean {
  const bit = offset - from;
  return kept === null || (((kept[bit >>> 3] ?? 0) >>> (bit & 7)) & 1) === 1;
}

function ofAccount({ start, lines, account }: Copied): Wrong[] {
  const expected = JSON.stringify(lines.reduce(withAccounted, emptyAccount(start.source)));
  const found = JSON.stringify(account);
  return found === expected ? [] : [{ check: accounting, text: `the account is ${found}, its lines say ${expected}` }];
}
