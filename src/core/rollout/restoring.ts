import { resizeEffect } from './effects.ts';
import { lastWords } from './last-words.ts';
import type { Observation } from './observation.ts';
import type { RolloutState } from './state.ts';

/** What a way back still waits for once the traffic is back: groups that do not answer, sizes, instances that are on their way out. */
export function restoringWaits(
  state: Pick<RolloutState, 'stage' | 'intended'>,
  observation: Pick<Observation, 'origin' | 'destination'>,
): string[] {
  if (state.stage.kind !== 'restoring') return [];
  return (['origin', 'destination'] as const).flatMap((side) => {
    const { reading } = observation[side];
    if (!reading.known) return [`the ${side}'s group does not answer: ${reading.why}`];
    const resize = resizeEffect(side, reading, state.intended?.target[side] ?? null);
    const size = resize === null ? [] : [`the ${side} has not got the size yet that it was found with`];
    const stopping = reading.value.instances.filter((instance) => instance.state === 'stopping');
    return [
      ...size,
      ...stopping.map((instance) => {
        const words = lastWords(instance);
        return `${instance.id} of the ${side} has not ended yet${words === null ? '' : `: ${words}`}`;
      }),
    ];
  });
}
