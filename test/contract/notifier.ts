import { expect } from 'vitest';
import type { Notifier } from '../../src/cli/context.ts';
import type { Notification } from '../../src/core/rollout/notification.ts';
import { notification } from '../notify/notification.ts';
import { collectClauses, testClauses } from './clauses.ts';

/** `well`: takes everything. `hung`: takes a connection and never answers. `gone`: nobody is there. */
export type Outside = 'well' | 'hung' | 'gone';

export type NotifierHarness = {
  /** A notifier of these places, in this order. */
  open(places: readonly Outside[]): Promise<{
    readonly notifier: Notifier;
    readonly trouble: readonly string[];
    /** What the place at this position was told, in order. */
    told(place: number): readonly Notification[];
  }>;
  close(): Promise<void>;
};

/** What every `Notifier` must do: a controller tells, and is neither held up nor stopped by whom it tells. */
export function notifierContract(name: string, open: () => Promise<NotifierHarness>): void {
  testClauses(`contract of a notifier: ${name}`, notifierClauses(), { open, close: (harness) => harness.close() });
}

const steps = (count: number) => Array.from({ length: count }, (_, step) => notification({ step }));

export function notifierClauses() {
  return collectClauses<NotifierHarness>((write) => {
    write('everything arrives once and in order, before the end', async ({ open }) => {
      const { notifier, told, trouble } = await open(['well', 'well']);
      const sent = steps(20);
      for (const each of sent) notifier.send(each);
      await notifier.close(30_000);
      expect(told(0)).toEqual(sent);
      expect(told(1)).toEqual(sent);
      expect(trouble).toEqual([]);
    });

    write('sending neither throws nor waits, whoever is there', async ({ open }) => {
      const { notifier } = await open(['gone', 'hung', 'well']);
      for (const each of steps(5)) expect(notifier.send(each)).toBeUndefined();
      await notifier.close(0);
    });

    write(
      'one that hangs keeps nobody else from being told, and does not keep the end from coming',
      async (harness) => {
        const { notifier, told, trouble } = await harness.open(['hung', 'well']);
        const sent = steps(3);
        for (const each of sent) notifier.send(each);
        await expect.poll(() => told(1)).toEqual(sent);
        await notifier.close(50);
        expect(trouble.join('\n')).toContain('notify[0]');
        expect(trouble.join('\n')).not.toContain('notify[1]');
      },
    );

    write('what could not be delivered is said, each line without an address', async ({ open }) => {
      const { notifier, trouble } = await open(['gone']);
      notifier.send(notification());
      await notifier.close(30_000);
      expect(trouble.length).toBeGreaterThan(0);
      for (const line of trouble) expect(line).not.toMatch(/\d+\.\d+\.\d+\.\d+|https?:|localhost/);
    });

    write('after the end nothing is sent any more', async ({ open }) => {
      const { notifier, told } = await open(['well']);
      notifier.send(notification({ step: 1 }));
      await notifier.close(30_000);
      notifier.send(notification({ step: 2 }));
      await notifier.close(30_000);
      expect(told(0)).toEqual([notification({ step: 1 })]);
    });
  });
}
