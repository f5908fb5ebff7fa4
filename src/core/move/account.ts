import { type LedgerLine, type Left, leftReasons } from './ledger-lines.ts';

/** How many of the source's offsets in [from, to) are accounted for as what; their sum is `to - from`. */
export type Account = { readonly from: number; readonly to: number; readonly copied: number } & Readonly<
  Record<Left, number>
>;

export function emptyAccount(from: number): Account {
  const none = Object.fromEntries(leftReasons.map((why) => [why, 0])) as Record<Left, number>;
  return { from, to: from, copied: 0, ...none };
}

/** With one line more, which has to begin where the account ends: else offsets would be counted twice, or not at all. */
export function withAccounted(account: Account, line: LedgerLine): Account {
  if (line.from !== account.to)
    throw new RangeError(`a line begins at ${line.from}, and the account ends at ${account.to}`);
  const length = line.to - line.from;
  if (line.kind === 'left') return { ...account, to: line.to, [line.why]: account[line.why] + length };
  const { count, to } = line;
  return { ...account, to, copied: account.copied + count, hole: account.hole + length - count };
}
