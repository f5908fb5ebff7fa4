import { CliError, type Context } from '../context.ts';
import { keyOf } from '../controller/novelties.ts';
import { controllerAt } from '../controller/reach.ts';
import { outcomeLines } from './outcome.ts';

const pollMs = 200;
/** How long what still stands is waited for; the controller goes on trying afterwards. */
const standingMsMax = 30_000;
/** A controller answers in milliseconds; one that says nothing so often hangs, and another way is taken. */
export const patienceMs = 2000;
const silentPolls = 2;
/** Polls in a row in which everything is back but not journalled: then the journal does not take it. */
const unwrittenPolls = 5;

/**
 * Says what a controller does until the traffic is back and everything as found, and names what still stands. Asks the
 * controller alone, so that no journal is needed. false: the controller ended or died before that, and somebody has to go on.
 */
export async function followBack(
  context: Context,
  socket: string,
  operation: string,
  say: (line: string) => void,
): Promise<boolean> {
  const over = new AbortController();
  let outcome: unknown = null;
  void context.world
    .askControl(socket, { kind: 'end' }, over.signal)
    .then((answer) => {
      outcome = answer;
    })
    .catch(() => undefined)
    .finally(() => over.abort());
  try {
    if (await untilBack(context, socket, operation, say, over.signal)) return true;
  } finally {
    over.abort();
  }
  if (typeof outcome !== 'object' || outcome === null) {
    context.stderr.write('drover: the controller is gone in the middle of the way back\n');
    return false;
  }
  const stage = 'stage' in outcome ? outcome.stage : null;
  if (stage !== 'rolled-back') {
    say(`the controller ended before that was done (${String(stage)})`);
    return false;
  }
  const left = 'left' in outcome && Array.isArray(outcome.left) ? outcome.left.map(String) : [];
  for (const line of outcomeLines(left)) say(line);
  context.setExitCode(2);
  return true;
}

/** true: the traffic is back, and the journal does not take it; false: the controller has ended. */
async function untilBack(
  context: Context,
  socket: string,
  operation: string,
  say: (line: string) => void,
  ended: AbortSignal,
): Promise<boolean> {
  const startedMs = context.clock.monotonic();
  const said = new Set<string>();
  let unwritten = 0;
  let silent = 0;
  while (!ended.aborted) {
    const answer = await controllerAt(context, socket, patienceMs).catch((error: unknown) => {
      if (++silent >= silentPolls) throw error;
      return null;
    });
    if (answer !== null) silent = 0;
    const standing = answer?.standing ?? [];
    const troubles = answer?.status?.troubles ?? [];
    const lines = [...standing, ...(answer?.status?.back?.standing ?? [])].map((line) => `still standing: ${line}`);
    lines.push(...troubles, ...(answer?.status?.unserved ?? []));
    if (answer?.status?.back != null) lines.unshift(answer.status.stageName);
    for (const line of lines) if (!said.has(keyOf(line))) say(line);
    for (const line of lines) said.add(keyOf(line));
    const isWritten = answer === null || answer.trouble === null;
    unwritten = !isWritten && standing.length === 0 ? unwritten + 1 : 0;
    if (unwritten >= unwrittenPolls) {
      say(`the traffic is back; the controller cannot write it to the journal yet: ${answer?.trouble}`);
      context.setExitCode(2);
      return true;
    }
    if (standing.length > 0 && context.clock.monotonic() - startedMs > standingMsMax) {
      throw new StillStanding(
        `${operation}: still standing after ${standingMsMax / 1000} s: ${[...standing, ...troubles].join('; ')}`,
        'put that right: the controller goes on trying, and `drover status` tells',
      );
    }
    await context.clock.sleep(pollMs, ended);
  }
  return false;
}

/** The controller lives and goes on: no other way would do better. */
export class StillStanding extends CliError {}
