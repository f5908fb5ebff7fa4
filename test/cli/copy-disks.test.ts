import { expect, test, vi } from 'vitest';
import { watchDisks } from '../../src/cli/kafka/copy/disks.ts';
import type { DiskFacts } from '../../src/core/move/cluster-facts.ts';
import type { CopyStatus } from '../../src/core/move/operation/status.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { madeCopyStatus } from '../made/copy-status.ts';

function bench(answers: readonly (readonly DiskFacts[] | Error)[]) {
  let nowMs = 0;
  const [asked, held, told]: [number[], string[], string[]] = [[], [], []];
  const side = {
    disks: async () => {
      const answer = answers[asked.length] ?? [];
      asked.push(nowMs);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    close: async () => undefined,
  };
  const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: () => Promise.resolve() };
  const floor = { kind: 'share', share: 0.05 } as const;
  const hold = (request: { readonly kind: string; readonly why?: string }) => held.push(request.why ?? '');
  const watch = watchDisks(
    { clock },
    floor,
    () => side,
    hold,
    (line) => told.push(line),
  );
  const look = async (status: Partial<CopyStatus>, afterMs: number) => {
    nowMs += afterMs;
    watch.look(madeCopyStatus(status));
    await vi.waitFor(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { look, asked, held, told, close: () => watch.close() };
}

const broker = (usableBytes: number | null): DiskFacts => ({
  broker: 2,
  told: known({ directories: [{ path: '/data', totalBytes: 100e9, usableBytes }], replicas: [] }),
});

test('a copy is held by name where a disk has less room than it is to keep, also after somebody has resumed it', async () => {
  const { look, asked, held, close } = bench([[broker(50e9)], [broker(3e9)], [broker(3e9)]]);
  await look({ stage: 'preparing' }, 0);
  await look({}, 1);
  await look({}, 5000);
  await look({}, 6000);
  await look({ held: { by: 'drover', why: 'a disk' } }, 20_000);
  await look({}, 1);
  expect(asked).toEqual([1, 11_001, 31_002]);
  const why = 'broker 2 of the target has 3.0 GB left in /data, and 5.0 GB are to stay free (--disk-floor)';
  expect(held).toEqual([why, why]);
  await close();
});

test('what nobody tells is said once, and holds nothing', async () => {
  const silent: DiskFacts = { broker: 1, told: unknown('no answer') };
  const { look, held, told, close } = bench([[silent], [silent], new Error('the target cannot be reached')]);
  for (const afterMs of [0, 10_000, 10_000]) await look({}, afterMs);
  expect(held).toEqual([]);
  expect(told).toHaveLength(2);
  expect(told[0]).toContain('broker 1: no answer');
  expect(told[1]).toContain('cannot be reached');
  await close();
});
