import type { Config } from '../../core/fleet/config.ts';
import { known, unknown } from '../../core/observed/reading.ts';
import { type Astray, astray } from '../../core/rollout/astray.ts';
import { notWell } from '../../core/rollout/completed.ts';
import { configurationToCommit } from '../../core/rollout/decide-finished.ts';
import { hasEnded, type RolloutState } from '../../core/rollout/state.ts';
import { observe } from '../../engine/observe.ts';
import type { Context } from '../context.ts';
import { openObserved } from '../open-service.ts';
import { againstBackLines, linesToWrite } from './lines-to-commit.ts';
import { isGlance, seenTraffic } from './seen-traffic.ts';

/** What the world says of a rollout that no controller looks after now. */
export type Look = Omit<Astray, 'againstBack'> & {
  /** The server lines that a completed rollout still needs in the balancer's configuration. */
  readonly commit: readonly string[];
};

export const notLooked: Look = { taken: null, isCut: false, standing: [], lines: [], commit: [] };

/** Looks at the back marker and the balancers of the last rollout of its service. Reads only. */
export async function lookAt(
  context: Context,
  config: Config | null,
  stateDirectory: string,
  state: RolloutState,
): Promise<Look> {
  const unasked = whyUnasked(config, state);
  if (config === null || unasked !== null)
    return { ...(await lookAtMarker(context, stateDirectory, state, unasked ?? '')), commit: [] };
  const service = openObserved(context, config, state.plan.service, stateDirectory, 'watch');
  try {
    const isLooked = state.stage.kind !== 'completed' || state.retired ? () => true : isGlance;
    const { observation, watch } = await seenTraffic(
      context,
      state,
      () => observe(service.seen, state.plan, state.operation, [], null, []),
      isLooked,
    );
    const found = astray(state, observation);
    // Whoever committed them would send the users to where somebody has just fled from.
    const isWhereItWasLeft = state.stage.kind === 'completed' && found.taken === null && found.lines.length === 0;
    return {
      ...found,
      lines: [
        ...found.lines,
        ...againstBackLines(config, found.againstBack),
        ...(found.taken === null ? notWell(state, watch, observation) : []),
      ],
      commit: isWhereItWasLeft ? linesToWrite(config, configurationToCommit(state, observation)) : [],
    };
  } finally {
    await service.close();
  }
}

/** Why nobody knows where its balancers are. null: the configuration says it. */
function whyUnasked(config: Config | null, state: RolloutState): string | null {
  const { plan, operation } = state;
  if (config === null) return 'it was not asked, because the configuration cannot be used';
  if (config.services[plan.service] !== undefined) return null;
  const remedy = hasEnded(state) ? '' : `: put it back until ${operation} has ended`;
  return `it was not asked, because the configuration has no service "${plan.service}" any more${remedy}`;
}

/** What the back marker says of a rollout whose balancers are not asked (`why`): so nobody knows what stands there. */
export async function lookAtMarker(
  context: Context,
  stateDirectory: string,
  state: RolloutState,
  why: string,
): Promise<Astray> {
  const atMs = context.clock.now();
  const unasked = { atMs, reading: unknown(why) };
  const marker = await context.world
    .openMarker(stateDirectory)
    .read(state.operation)
    .then(known, (error: unknown) => unknown(error instanceof Error ? error.message : String(error)));
  const found = astray(state, {
    nowMs: atMs,
    leased: false,
    backends: Object.fromEntries(state.plan.backends.map(({ id }) => [id, unasked])),
    ...{ origin: unasked, destination: unasked, marker, requests: [], drill: null },
  });
  return { ...found, standing: [] };
}
