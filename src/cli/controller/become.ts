import type { Config } from '../../core/fleet/config.ts';
import type { OperatorRequest } from '../../core/rollout/observation.ts';
import type { RolloutState } from '../../core/rollout/state.ts';
import type { Glance } from '../../engine/operation.ts';
import { commandAt, type Place } from '../command-at.ts';
import type { Context } from '../context.ts';
import type { OpenJournal } from '../journal/open.ts';
import { reporterFor } from './reporter.ts';
import { type ControlEnd, controlRollout, exitCodeOf } from './rollout.ts';

export type Becoming = {
  readonly config: Config;
  readonly opened: OpenJournal;
  readonly state: RolloutState;
  readonly options: Place & { readonly json?: true };
  readonly requests: readonly OperatorRequest[];
  readonly heartbeat?: string;
  readonly until?: (glance: Glance) => boolean;
};

/** Makes this process the controller of a rollout that has none, with what an operator asks of it. Exit status: `exitCodeOf`. */
export async function becomeController(context: Context, becoming: Becoming): Promise<ControlEnd> {
  const { config, opened, state, options, requests, heartbeat, until } = becoming;
  const reporter = reporterFor(context, options.json === true, commandAt(options));
  try {
    const end = await controlRollout(context, {
      ...{
        config,
        opened,
        requests,
        operation: state.operation,
        service: state.plan.service,
        heartbeat: heartbeat ?? null,
      },
      ...(until === undefined ? {} : { until }),
      onEntry: reporter.entry,
      onStatus: reporter.status,
      onTrouble: reporter.trouble,
      onEnd: reporter.end,
    });
    // Who asks for the way back is told by the verb itself.
    const isBack = requests.some(({ kind }) => kind === 'back');
    for (const line of isBack ? [] : end.left) reporter.note(`${state.operation}  ${line}`);
    context.setExitCode(exitCodeOf(end));
    return end;
  } finally {
    reporter.close();
  }
}
