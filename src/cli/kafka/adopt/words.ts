import type { AdoptionRefusal } from '../../../core/move/adoption.ts';
import { partitionName } from '../../../core/move/operation/plan.ts';
import { whole } from '../../terminal/figures.ts';
import { harmless } from '../../terminal/text.ts';
import type { AdoptionResult } from './adopt.ts';

/** What came of each partition, for people. */
export function adoptionLines(results: readonly AdoptionResult[]): string[] {
  return results.map((result) => harmless(`${partitionName(result)}: ${wordsOf(result)}`));
}

function wordsOf({ proven, refusal }: AdoptionResult): string {
  if (refusal !== null) return `NOT proven: ${refusalWords(refusal)}`;
  if (proven === null) return 'NOT proven';
  const { begin, end, batches, records, madeAnew } = proven;
  const anew = madeAnew === 0 ? '' : `, ${whole(madeAnew)} of them made anew`;
  return `proven: offsets ${begin.target} to ${end.target - 1} of the target are ${begin.source} to ${end.source - 1} of the source (${whole(records)} records in ${whole(batches)} batches${anew})`;
}

function refusalWords({ target, source, words }: AdoptionRefusal): string {
  const places = [
    ...(target === null ? [] : [`offset ${target} of the target`]),
    ...(source === null ? [] : [`offset ${source} of the source`]),
  ];
  return places.length === 0 ? words : `${places.join(', ')}: ${words}`;
}

/** What to do, for all of them together. */
export function remedyOf(refusals: readonly AdoptionRefusal[]): string {
  const kinds = new Set(refusals.map(({ kind }) => kind));
  if (kinds.has('written-meanwhile'))
    return 'end the other copy, or whoever writes to that topic, and run the same command again';
  if (kinds.has('deleted-meanwhile')) return 'run the same command again';
  return '`drover kafka verify` tells what differs; to copy it once more delete that topic of the target, or take another one';
}
