import { type Account, emptyAccount } from '../account.ts';
import { type LedgerLine, leftReasons, type Position, type SentLine } from '../ledger-lines.ts';
import type { Findings, OffsetRange } from './finding.ts';
import type { SegmentBegun } from './trail.ts';

/**
 * Adds up a ledger line by line and believes nothing of it: each line has to begin where the one before has ended on both sides, and each count
 * to be what its bits say. What is missing between two lines is a finding and in no sum, so that the sum shows it as well.
 */
export class Accounting {
  readonly #findings: Findings;
  readonly #begin: Position;
  #account: Account;
  #target: number;

  constructor(begin: Position, findings: Findings) {
    this.#begin = begin;
    this.#findings = findings;
    this.#account = emptyAccount(begin.source);
    this.#target = begin.target;
  }

  get account(): Account {
    return this.#account;
  }

  get end(): Position {
    return { source: this.#account.to, target: this.#target };
  }

  add(line: LedgerLine): void {
    this.#follow({ source: line.from, target: line.kind === 'sent' ? line.target : this.#target });
    const length = line.to - line.from;
    if (line.kind === 'left') {
      if (length < 1) this.#wrongSum(line, `a line of ${length} offsets`);
      this.#account = { ...this.#account, to: line.to, [line.why]: this.#account[line.why] + length };
      return;
    }
    const kept = keptCount(line);
    if (kept !== line.count) this.#wrongSum(line, `${line.count} records, and ${kept} offsets that have one`);
    const { account } = this;
    const hole = account.hole + length - line.count;
    this.#account = { ...account, to: line.to, copied: account.copied + line.count, hole };
    this.#target = line.target + line.count;
  }

  /** What the head of a segment says of all before it. */
  expect({ segment, at, account, isVoid }: SegmentBegun): void {
    if (isVoid) return;
    this.#follow(at);
    this.compare(account, `the head of ${segment}`);
  }

  /** Another one's account of the same offsets. Nothing is said where it ends elsewhere. */
  compare(other: Account, whose: string): void {
    const mine = this.#account;
    if (other.to !== mine.to) return;
    const differing = (['from', 'copied', ...leftReasons] as const).filter((name) => other[name] !== mine[name]);
    if (differing.length === 0) return;
    const words = differing.map((name) => `${name} ${other[name]}, by the lines ${mine[name]}`).join('; ');
    const source = { from: this.#begin.source, to: mine.to };
    this.#findings.add({ kind: 'account', source, target: null, detail: `${whose} has ${words}` });
  }

  /** Every offset from the beginning to the end has to be accounted for by exactly one line. */
  close(): void {
    const { from, to, copied } = this.#account;
    const left = leftReasons.reduce((sum, why) => sum + this.#account[why], 0);
    const placed = this.#target - this.#begin.target;
    const source = { from, to };
    if (copied + left !== to - from)
      this.#findings.add({
        ...{ kind: 'account', source, target: null },
        detail: `${copied} copied and ${left} left out are ${copied + left}, of ${to - from} offsets`,
      });
    if (placed !== copied)
      this.#findings.add({
        ...{ kind: 'account', source, target: { from: this.#begin.target, to: this.#target } },
        detail: `${copied} copied, on ${placed} offsets of the target`,
      });
  }

  /** Where lines are missing, what follows is added up from there, so that one gap is one finding. */
  #follow(next: Position): void {
    const { source, target } = this.end;
    if (next.source === source && next.target === target) return;
    this.#findings.add({
      kind: 'ledger-gap',
      source: rangeOf(source, next.source),
      target: rangeOf(target, next.target),
      detail: `a line ends at ${source} (target ${target}), and the next begins at ${next.source} (target ${next.target})`,
    });
    this.#account = { ...this.#account, to: next.source };
    this.#target = next.target;
  }

  #wrongSum({ from, to }: LedgerLine, detail: string): void {
    this.#findings.add({ kind: 'account', source: { from, to }, target: null, detail });
  }
}

function rangeOf(one: number, other: number): OffsetRange | null {
  return one === other ? null : { from: Math.min(one, other), to: Math.max(one, other) };
}

/** Offsets of the source that have a record, by the line's bits. */
function keptCount({ from, to, kept }: SentLine): number {
  if (kept === null) return to - from;
  let count = 0;
  for (let index = 0; index < to - from; index += 1) count += ((kept[index >>> 3] ?? 0) >>> (index & 7)) & 1;
  return count;
}
