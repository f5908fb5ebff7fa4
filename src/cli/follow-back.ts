import { CliError, type Context } from './context.ts';
import { controllerAt } from './controller.ts';

const pollMs = 200;
/** How long what still stands is waited for; the controller goes on trying afterwards. */
const standingMsMax = 60_000;
/** Polls in a row in which everything is back but not journalled: then the journal does not take it. */
const unwrittenPolls = 5;

/**
 * Says what a controller does until the traffic is back and everything as found, and names what still stands. Asks the
 * controller alone, so that no journal is needed. false: the controller died before that.
 */
export async function followBack(context: Context, socket: string, operation: string): Promise<boolean> {
  const say = noveltiesTo(context);
  const ended = context.world.askControl(socket, { kind: 'end' }, new AbortController().signal);
  const waiting = new AbortController();
  let outcome: unknown = null;
  void ended
    .catch(() => undefined)
    .then((answer) => {
      outcome = answer;
      waiting.abort();
    });
  const startedMs = context.clock.monotonic();
  let unwritten = 0;
  while (!waiting.signal.aborted) {
    const answer = await controllerAt(context, socket).catch(() => null);
    const standing = answer?.standing ?? [];
    if (answer?.status?.back != null) say(answer.status.stageName);
    for (const line of [...standing, ...(answer?.status?.back?.standing ?? [])]) say(`still standing: ${line}`);
    const isWritten = answer === null || answer.trouble === null;
    unwritten = !isWritten && standing.length === 0 ? unwritten + 1 : 0;
    if (unwritten >= unwrittenPolls) {
      say(`the traffic is back; the controller cannot write it to the journal yet: ${answer?.trouble}`);
      context.setExitCode(2);
      return true;
    }
    if (standing.length > 0 && context.clock.monotonic() - startedMs > standingMsMax) {
      const remedy = 'the controller goes on trying; `drover status` tells';
      throw new StillStanding(
        `${operation}: still standing after ${standingMsMax / 1000} s: ${standing.join('; ')}`,
        remedy,
      );
    }
    await context.clock.sleep(pollMs, waiting.signal);
  }
  if (typeof outcome !== 'object' || outcome === null) {
    context.stderr.write('drover: the controller is gone in the middle of the way back\n');
    return false;
  }
  const stage = 'stage' in outcome ? outcome.stage : null;
  say(
    stage === 'rolled-back' ? 'rolled back: everything is as it was found' : `the controller ended: ${String(stage)}`,
  );
  context.setExitCode(2);
  return true;
}

/** The controller lives and goes on: no other way would do better. */
export class StillStanding extends CliError {}

function noveltiesTo(context: Context): (line: string) => void {
  const said = new Set<string>();
  return (line) => {
    if (said.has(line)) return;
    said.add(line);
    context.stdout.write(`  ${line}\n`);
  };
}
