import type { Config } from '../../core/fleet/config.ts';
import type { Entry } from '../../core/journal/entry.ts';
import type { RolloutEvent, Started } from '../../core/rollout/events.ts';
import { notificationOf } from '../../core/rollout/notification.ts';
import type { Context } from '../context.ts';
import { sentenceOf } from '../journal/sentences.ts';

/** Tells those whom `notify` names of a rollout's entries once they are durable. Nobody waits for it. */
export type Announcer = { entry(entry: Entry): void; close(): Promise<void> };

/** How long the end of a controller waits for what is still to be delivered. */
const flushMsMax = 10_000;

/** `before`: the entries that are there already. The first one is told if no other has followed: nobody has told it. */
export function openAnnouncer(
  context: Context,
  config: Config,
  before: readonly Entry[],
  onTrouble: (line: string) => void,
): Announcer {
  const started = before[0]?.body as Started | undefined;
  if (config.notify.length === 0 || started?.kind !== 'started') {
    return { entry: () => undefined, close: () => Promise.resolve() };
  }
  const { plan } = started;
  const notifier = context.world.openNotifier(config.notify, onTrouble);
  let { builds } = started;
  const tell = (entry: Entry) => {
    const event = entry.body as RolloutEvent;
    if (event.kind === 'builds-changed') builds = event.builds;
    const notification = notificationOf(entry, { plan, builds, text: textOf(entry, plan.steps.length) });
    if (notification !== null) notifier.send(notification);
  };
  for (const { body } of before) {
    const event = body as RolloutEvent;
    if (event.kind === 'builds-changed') builds = event.builds;
  }
  const [first, second] = before;
  if (first !== undefined && second === undefined) tell(first);
  return { entry: tell, close: () => notifier.close(flushMsMax) };
}

/** The journal's sentence; a step is named among the others, which only the plan knows. */
function textOf({ body }: Entry, steps: number): string {
  const event = body as RolloutEvent;
  if (event.kind !== 'stage-entered' || event.stage.kind !== 'judging') return sentenceOf(body, steps);
  const { step } = event.stage;
  const again = event.attempt > 1 ? `, attempt ${event.attempt}` : '';
  return step > steps ? sentenceOf(body, steps) : `step ${step} of ${steps} is judged${again}`;
}
