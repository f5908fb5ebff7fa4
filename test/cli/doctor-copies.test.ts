import { describe, expect, test } from 'vitest';
import type { World } from '../../src/cli/context.ts';
import type { Diagnosis } from '../../src/cli/doctor/diagnosis.ts';
import { seal } from '../../src/core/journal/chain.ts';
import { emptyHead } from '../../src/core/journal/entry.ts';
import type { TopicAcl } from '../../src/core/move/acl-facts.ts';
import type { MoveEvent } from '../../src/core/move/operation/events.ts';
import type { TopicFound } from '../../src/core/move/operation/observation.ts';
import { PortError } from '../../src/engine/ports.ts';
import { openMemoryJournal } from '../../src/io/journal/memory.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { madeAcl } from '../made/acls.ts';
import { directoryForEach, runDrover } from '../made/context.ts';
import { madeCopyPlan, madeFound } from '../made/copy.ts';

const directory = directoryForEach();

const prepared: MoveEvent[] = [
  { kind: 'copy-started', plan: madeCopyPlan(), rate: null },
  { kind: 'topic-made', topic: 'orders', topicId: 'target-id' },
  { kind: 'levers-intended', levers: madeCopyPlan().levers },
];
const dead: MoveEvent[] = [...prepared, { kind: 'levers-set' }, { kind: 'copying' }];
const refuse = () => Promise.reject(new Error('doctor writes'));

/** There is no drover.yaml, and nothing answers where a controller would. */
async function doctor(events: readonly MoveEvent[], found: TopicFound | PortError, acls: readonly TopicAcl[] = []) {
  const journal = openMemoryJournal();
  const drafts = events.map((body) => ({ body, actor: 'kim', atMs: 1, rules: 1 }));
  await journal.append(emptyHead('copy-1'), seal(emptyHead('copy-1'), drafts, sha256).entries);
  let isClosed = false;
  const world: Partial<World> = {
    openJournal: async () => journal,
    askControl: async () => undefined,
    openCopyTarget: () => ({
      async read() {
        if (found instanceof PortError) throw found;
        return { orders: found };
      },
      readAcls: async () => (found instanceof PortError ? [] : acls),
      ...{ makeAcls: refuse, deleteAcls: refuse },
      ...{ makeTopic: refuse, makePartitions: refuse, changeSettings: refuse, deleteTopic: refuse },
      close: async () => {
        isClosed = true;
      },
    }),
    sha256,
  };
  const { text, code } = await runDrover(['doctor', '--json'], { directory: directory.path, world });
  return { diagnosis: JSON.parse(text) as Diagnosis, code, isClosed };
}

describe('the doctor, where a copy has died', () => {
  test('names the settings that it has left set aside, and the commands that go on or restore them', async () => {
    const { diagnosis, code, isClosed } = await doctor(dead, madeFound('-1'));
    expect(diagnosis.sections).toMatchObject([{ kind: 'copy', checks: [{ level: 'warning' }] }]);
    const [check] = diagnosis.sections[0]?.checks ?? [];
    expect(check?.what).toContain('orders: retention.ms is -1 (before: 1000)');
    expect(check?.remedy).toContain('drover resume copy-1');
    expect(check?.remedy).toContain('drover abort copy-1');
    expect([code, isClosed]).toEqual([0, true]);
  });

  test('names them before they were read back too, as it may have died in between', async () => {
    const { diagnosis } = await doctor(prepared, madeFound('-1'));
    expect(diagnosis.sections[0]?.checks[0]?.what).toContain('retention.ms is -1');
  });

  test.each([
    ['somebody has set another value since', madeFound('777')],
    ['the topic is another one by now', madeFound('-1', { topicId: 'another-id' })],
  ])('says that nothing is set where %s', async (_what, found) => {
    const { diagnosis } = await doctor(dead, found);
    expect(diagnosis.sections[0]?.checks[0]?.what).toContain('nothing is set any more');
  });

  test('says what may be set where the target cannot be asked', async () => {
    const gone = new PortError('unreachable', 'new:9092 does not answer', { retriable: true });
    const { diagnosis } = await doctor(dead, gone);
    const [check] = diagnosis.sections[0]?.checks ?? [];
    expect(check?.what).toContain('new:9092 does not answer');
    expect(check?.what).toContain('orders: retention.ms is -1 (before: 1000)');
  });

  test('names ACLs that it has made and nobody has taken away since, and those of nobody else', async () => {
    const acls = [madeAcl(), madeAcl({ principal: 'User:bob' })];
    const events: MoveEvent[] = [
      { kind: 'copy-started', plan: madeCopyPlan({ acls }), rate: null },
      { kind: 'acls-intended', acls },
    ];
    const there = [madeAcl(), madeAcl({ principal: 'User:carol' })];
    const { diagnosis } = await doctor(events, madeFound('1000'), there);
    const [check] = diagnosis.sections[0]?.checks ?? [];
    expect(check?.what).toContain('ACLs that it has made are on the target: User:alice may Read orders');
    expect(check?.what).not.toMatch(/bob|carol/);
    expect(check?.remedy).toContain('`drover abort copy-1` restores settings and ACLs');
    const none = await doctor(events, madeFound('1000'), []);
    expect(none.diagnosis.sections[0]?.checks[0]?.what).toContain('nothing is set any more');
  });

  test('has nothing to say of a copy that has ended', async () => {
    const ended: MoveEvent[] = [
      ...dead,
      { kind: 'abort-asked', by: 'kim', reason: null },
      { kind: 'levers-restored', left: [] },
      { kind: 'copy-aborted' },
    ];
    await expect(doctor(ended, madeFound('1000'))).rejects.toThrow();
  });
});
