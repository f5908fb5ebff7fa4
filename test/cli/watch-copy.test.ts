import { expect, test } from 'vitest';
import type { CopyAnswer } from '../../src/cli/kafka/copy/messages.ts';
import { seal } from '../../src/core/journal/chain.ts';
import { emptyHead } from '../../src/core/journal/entry.ts';
import type { MoveEvent } from '../../src/core/move/operation/events.ts';
import { PortError } from '../../src/engine/ports.ts';
import { openMemoryJournal } from '../../src/io/journal/memory.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { directoryForEach, runDrover } from '../made/context.ts';
import { madeCopyPlan } from '../made/copy.ts';
import { madeCopyStatus } from '../made/copy-status.ts';

const directory = directoryForEach();
const begun: MoveEvent[] = [{ kind: 'copy-started', plan: madeCopyPlan(), rate: null }, { kind: 'copying' }];
const answer: CopyAnswer = { pid: 7, operation: 'copy-1', status: madeCopyStatus(), trouble: null, refusal: null };

type Second = { readonly told: CopyAnswer | 'silent' | null; readonly events?: readonly MoveEvent[] };

/** What is watched while its controller answers so, one second after the other, and has written these before. */
async function watching(seconds: readonly Second[], words: readonly string[] = [], copies = ['copy-1']) {
  const journal = openMemoryJournal();
  const write = async (operation: string, events: readonly MoveEvent[]) => {
    const head = (await journal.heads()).find((one) => one.operation === operation) ?? emptyHead(operation);
    const drafts = events.map((body) => ({ body, actor: 'kim', atMs: 1_764_201_600_000, rules: 1 }));
    await journal.append(head, seal(head, drafts, sha256).entries);
  };
  for (const operation of copies) await write(operation, begun);
  let nowMs = 0;
  const errors: string[] = [];
  const stderr = { write: (text: string) => void errors.push(text), terminal: null };
  const told = await runDrover(['watch', ...words], {
    ...{ directory: directory.path, stderr },
    clock: {
      now: () => 1_764_201_600_000 + nowMs,
      monotonic: () => nowMs,
      sleep: async (ms) => {
        nowMs += ms;
      },
    },
    world: {
      openJournal: async () => ({
        ...{ leases: journal.leases, samples: journal.samples },
        append: () => Promise.reject(new Error('watching writes')),
        read: (operation, afterSeq) => journal.read(operation, afterSeq),
        heads: () => journal.heads(),
        close: async () => undefined,
      }),
      askControl: async (path, { kind }) => {
        if (kind !== 'status') throw new Error(`watching asks for ${kind}`);
        if (!path.endsWith('copy-1.sock')) return undefined;
        const second = seconds[Math.floor(nowMs / 1000)];
        await write('copy-1', second?.events ?? []);
        if (second?.told === 'silent') throw new PortError('timeout', 'no answer', { retriable: true });
        return second?.told ?? undefined;
      },
      sha256,
    },
  });
  return { text: told.text, errors: errors.join('') };
}

const half = { told: answer } as const;
const held: Second = { told: answer, events: [{ kind: 'copy-held', by: 'kim', why: 'lunch' }] };
const over: Second = {
  told: null,
  events: [{ kind: 'caught-up', partitions: [] }, { kind: 'levers-restored', left: [] }, { kind: 'copied' }],
};

test('a copy is watched until its controller has ended: each thing that happens, once, and how it has ended', async () => {
  const { text } = await watching([half, held, half, over]);
  expect(text.match(/copy-1 {2}held by kim: lunch/g)).toHaveLength(1);
  expect(text).toContain('copy-1 is copied');
  expect(text).not.toContain('data may move');
  expect(text.indexOf('settings that were set aside are as they were')).toBeLessThan(text.indexOf('copy-1 is copied'));
});

test('without a controller it says so, and how to go on', async () => {
  const { text } = await watching([half, { told: null }], ['copy-1']);
  expect(text).toContain('no controller of copy-1 is running');
  expect(text).toContain('`drover resume copy-1`, goes on');
});

test('what is in the way is told once, and when it is over; a controller that hangs is not one that has ended', async () => {
  const refused = { ...answer, refusal: 'POLICY_VIOLATION: not now' };
  const { errors } = await watching([{ told: refused }, { told: refused }, half, { told: 'silent' }, half, over]);
  expect(errors.match(/POLICY_VIOLATION/g)).toHaveLength(1);
  expect(errors.match(/that is over/g)).toHaveLength(2);
  expect(errors).toContain('does not answer');
});

test('as JSON it is what the controller itself tells', async () => {
  const { text } = await watching([half, held, over], ['copy-1', '--json']);
  const lines = text
    .trim()
    .split('\n')
    .map((line) => Object.keys(JSON.parse(line)).join());
  expect(lines).toEqual(['status', 'entry', 'status', 'entry', 'entry', 'entry', 'end,operation,stage']);
  expect(text).toContain('"end":"ended","operation":"copy-1","stage":"copied"');
});

test('of several one has to be named, and by its name', async () => {
  await expect(watching([], [], ['copy-1', 'copy-2'])).rejects.toThrow('more than one copy is not over');
  await expect(watching([], ['orders'])).rejects.toThrow('orders is no copy');
  await expect(watching([], ['copy-9'])).rejects.toThrow('there is no copy copy-9');
});
