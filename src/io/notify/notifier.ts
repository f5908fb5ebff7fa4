import type { NotifyConfig } from '../../core/fleet/config.ts';
import type { Notification } from '../../core/rollout/notification.ts';
import type { Clock } from '../../engine/ports.ts';
import { post } from './endpoint.ts';

export type NotifierOptions = {
  readonly endpoints: readonly NotifyConfig[];
  readonly clock: Clock;
  /** Told what could not be delivered: one line, without an address. */
  readonly onTrouble: (line: string) => void;
  readonly callMs?: number;
  /** Pauses before the second, third … attempt; when they are used up the notification is given up. */
  readonly pausesMs?: readonly number[];
  readonly queueMax?: number;
};

const callMsDefault = 5_000;
const pausesMsDefault = [1_000, 4_000, 15_000];
/** An endpoint may ask for a longer pause, within reason. */
const pauseMsMax = 60_000;
const queueMaxDefault = 100;

/**
 * Tells endpoints, each in its own order and at its own pace. `send` puts into a queue and returns; nobody waits for an
 * endpoint, and none waits for another. A queue that is full loses its oldest notification: the newest tell where things stand.
 */
export function openNotifier(options: NotifierOptions): {
  send(notification: Notification): void;
  close(msMax: number): Promise<void>;
} {
  const ending = new AbortController();
  const lines = options.endpoints.map((endpoint, index) => openLine(options, endpoint, index, ending.signal));
  return {
    send(notification) {
      for (const line of lines) line.add(notification);
    },
    async close(msMax) {
      const waiting = new AbortController();
      const over = options.clock.sleep(msMax, waiting.signal).then(() => ending.abort(new Error('closed')));
      await Promise.race([Promise.all(lines.map((line) => line.idle())), over]);
      ending.abort(new Error('closed'));
      waiting.abort();
      await Promise.all(lines.map((line) => line.idle()));
    },
  };
}

type Line = { add(notification: Notification): void; idle(): Promise<void> };

/**
 * One endpoint: idle → sending → (queue empty) → idle. One notification at a time, so that their order is kept.
 */
function openLine(options: NotifierOptions, endpoint: NotifyConfig, index: number, ending: AbortSignal): Line {
  const name = `notify[${index}] (${endpoint.kind})`;
  const queueMax = options.queueMax ?? queueMaxDefault;
  const queue: Notification[] = [];
  let sending: Promise<void> | null = null;
  let lost = 0;
  const work = async () => {
    for (let next = queue.shift(); next !== undefined && !ending.aborted; next = queue.shift()) {
      const why = await deliver(options, endpoint, next, ending);
      if (why !== null) options.onTrouble(`${name} was not told of "${next.event}" of ${next.operation}: ${why}`);
      if (lost > 0) options.onTrouble(`${name} is too slow: ${lost} older notifications were dropped`);
      lost = 0;
      if (ending.aborted) break;
    }
    if (queue.length > 0) options.onTrouble(`${name}: ${queue.length} notifications were not sent before the end`);
    queue.length = 0;
    sending = null;
  };
  return {
    add(notification) {
      if (ending.aborted) return;
      if (queue.length >= queueMax) {
        queue.shift();
        lost++;
      }
      queue.push(notification);
      sending ??= work();
    },
    idle: () => sending ?? Promise.resolve(),
  };
}

/** null: delivered; else why not. */
async function deliver(
  { clock, callMs = callMsDefault, pausesMs = pausesMsDefault }: NotifierOptions,
  endpoint: NotifyConfig,
  notification: Notification,
  ending: AbortSignal,
): Promise<string | null> {
  for (let attempt = 0; ; attempt++) {
    const outcome = await post(endpoint, notification, AbortSignal.any([ending, AbortSignal.timeout(callMs)]));
    if (outcome.kind === 'delivered') return null;
    const pauseMs = pausesMs[attempt];
    if (outcome.kind === 'refused') return outcome.why;
    if (pauseMs === undefined) return `${outcome.why}; given up after ${attempt + 1} attempts`;
    await clock.sleep(Math.max(pauseMs, Math.min(outcome.afterMs, pauseMsMax)), ending);
    if (ending.aborted) return `${outcome.why}; the end came before another attempt`;
  }
}
