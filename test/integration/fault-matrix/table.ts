import { table } from '../../../bench/frame/table.ts';
import { type Equation, type Fault, isDecided, isTrue, type Outcome } from './fault.ts';

/** What each fault is to users and to Drover, in words that are the same on every machine: docs/reference/faults.md has it. */
export function wordsTable(faults: readonly Fault[]): string {
  const rows = faults.map(({ name, sees, counts, decides, rollout }) => [
    name,
    sees,
    counts,
    decides,
    rollout === null ? '' : `\`${rollout}\``,
  ]);
  return table(['fault', 'users see', 'Drover counts as failures', 'Drover decides', 'in a whole rollout'], rows);
}

export type Played = { readonly fault: Fault; readonly outcome: Outcome };

/** What was measured: requests by what their users saw, attempts and failures of both sides as Drover counted them. */
export function figuresTable(played: readonly Played[]): string {
  const rows = played.map(({ fault, outcome: { users, counted, decided } }) => [
    fault.name,
    String(users.asked),
    Object.entries(users.how)
      .map(([how, count]) => `${count} × ${how}`)
      .join(', '),
    String(users.failed),
    `${counted.origin.failures} of ${counted.origin.attempts}`,
    `${counted.destination.failures} of ${counted.destination.attempts}`,
    decided.length === 0 ? 'nothing' : (decided[0] ?? '').replace(/;.*/, ''),
  ]);
  const header = [
    'fault',
    'requests',
    'users saw',
    'failed',
    'counted at the origin',
    'at the destination',
    'first in the journal',
  ];
  return table(header, rows);
}

/** What is not as it has to be, a sentence each; empty: all is. */
export function wrongWith({ fault, outcome }: Played): string[] {
  const untrue = fault.holds(outcome).filter((equation) => !isTrue(equation));
  const wrong = untrue.map(sentence);
  if (isDecided(outcome, fault.entries)) return wrong;
  const expected = fault.entries.join(', ') || 'nothing';
  return [...wrong, `it decided ${outcome.decided.join(', ') || 'nothing'}, and not ${expected}`];
}

function sentence({ says, left, right }: Equation): string {
  return `${says} is not so: ${left} and ${right}`;
}
