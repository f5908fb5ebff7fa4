import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Journal, World } from '../../src/cli/context.ts';
import type { ControllerAnswer } from '../../src/cli/controller/messages.ts';
import { directoryChecks, examineState } from '../../src/cli/doctor/state.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { seal } from '../../src/core/journal/chain.ts';
import { type EventBody, emptyHead } from '../../src/core/journal/entry.ts';
import type { RolloutEvent } from '../../src/core/rollout/events.ts';
import type { RolloutStatus } from '../../src/core/rollout/status.ts';
import { PortError } from '../../src/engine/ports.ts';
import { openMemoryJournal } from '../../src/io/journal/memory.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { fileMarker } from '../../src/io/marker/file.ts';
import { differences } from '../docs/page.ts';
import { contextInMemory, directoryForEach } from '../made/context.ts';
import { Bench } from '../rollout/bench.ts';
import { started } from '../rollout/life.ts';

const now = Date.UTC(2026, 0, 1);
const operation = 'rollout-query-1';
const marked = 'kim, offline: it burns, 2025-12-31T23:59:00.000Z';
const exported = { ...{ operation, service: 'query', completed: false }, balancers: [], asFound: {} };

const directory = directoryForEach();
const stateDirectory = () => join(directory.path, '.drover');
beforeEach(async () => {
  await mkdir(stateDirectory());
  // What is in it is given to each test in memory.
  await writeFile(join(stateDirectory(), 'journal.db'), '');
});

const exportIt = (given = {}) =>
  writeFile(join(stateDirectory(), `${operation}.json`), JSON.stringify({ ...exported, ...given }));
const markIt = () => writeFile(join(stateDirectory(), `${operation}.back`), `${marked}\n`);

const gone = new PortError('not-found', 'there is no journal', { retriable: false });
const damaged = new PortError('corrupt', 'the journal is damaged', { retriable: false });

function worldOf(journal: Journal | PortError, control?: ControllerAnswer): Partial<World> {
  return {
    openJournal: async () => {
      if (journal instanceof PortError) throw journal;
      return journal;
    },
    openMarker: fileMarker,
    askControl: async () => control,
    sha256,
  };
}

/** In a directory without a configuration: no balancer is asked. */
async function run(words: readonly string[], journal: Journal | PortError, control?: ControllerAnswer) {
  const given = {
    directory: directory.path,
    env: { NO_COLOR: '1' },
    clock: { now: () => now, monotonic: () => 0, sleep: () => Promise.resolve() },
    stderr: { write: () => undefined, terminal: null },
    world: worldOf(journal, control),
  };
  const { context, told } = contextInMemory(given);
  const error: unknown = await buildProgram(context)
    .parseAsync(words, { from: 'user' })
    .then(
      () => null,
      (thrown: unknown) => thrown,
    );
  return { ...told, error, words: told.text.replace(/\s+/g, ' ') };
}

async function journalWith(bodies: readonly (EventBody & RolloutEvent)[], atMs = now): Promise<Journal> {
  const journal = openMemoryJournal();
  const drafts = bodies.map((body) => ({ body, actor: 'alice', atMs, rules: 1 }));
  await journal.append(emptyHead(operation), seal(emptyHead(operation), drafts, sha256).entries);
  return journal;
}

/** As a controller shows it whose disk is full, after somebody has asked for the way back. */
function takenUnwritten(): ControllerAnswer {
  const bench = Bench.judging();
  const cause = { kind: 'asked', by: 'kim', reason: 'it burns' } as const;
  const back: RolloutStatus['back'] = { cause, performedAtMs: now - 1000, journalled: false, standing: [] };
  const stageName = 'the way back is taken, and the journal does not know it yet';
  const status = { ...bench.status(), operation, stage: 'cutting', stageName, promotion: null, back };
  return { pid: 42, operation, status, trouble: 'the disk is full', standing: [] };
}

describe('a journal that is gone, or cannot be read', () => {
  const told = `${operation} is known by no journal; what it exported says that it was not finished, and the back marker says that its traffic was taken back: ${marked}`;

  test('hides neither what was exported nor the marker from status, which says what to type', async () => {
    await exportIt();
    await markIt();
    const { words, code, error } = await run(['status'], gone);
    expect({ code, error }).toEqual({ code: 1, error: null });
    expect(words).toContain('No controller is running, and there is no journal of what was begun here.');
    expect(words).toContain(told);
    expect(words).toContain(`\`drover back ${operation}\` takes its traffic back without a journal`);
    const json = JSON.parse((await run(['status', '--json'], gone)).text);
    expect(differences('status.md', 'status', json)).toEqual([]);
    expect(json).toMatchObject({ unreadable: null, strays: [{ operation, completed: false, marked }] });

    const unread = await run(['status'], damaged);
    expect(unread).toMatchObject({ code: 1, error: damaged });
    expect(unread.words).toContain('what is unfinished is not known: the journal cannot be read');
    expect(unread.words).toContain(told);
    expect(JSON.parse((await run(['status', '--json'], damaged)).text)).toMatchObject({
      unreadable: 'the journal is damaged',
      strays: [{ operation }],
    });
  });

  test('is another thing than one that has the rollout: that is told by the journal alone', async () => {
    await exportIt();
    const known = await run(['status'], await journalWith([started]));
    expect(known).toMatchObject({ code: null, error: null });
    expect(known.words).not.toContain('no journal');
  });

  test('a marker alone, and an exported state that cannot be understood, are told too', async () => {
    await exportIt({ balancers: 'none' });
    const { words, code } = await run(['status'], gone);
    expect({ words, code }).toMatchObject({
      words: expect.stringMatching(/rollout-query-1\.json cannot be used: balancers/),
      code: 1,
    });
    await markIt();
    const both = await run(['status'], gone);
    expect(both.words).toContain(`${operation} is known by no journal; nothing was exported of it`);
    expect(both.words).toMatch(/see that nothing of that rollout stands, and remove \S+rollout-query-1\.back/);
  });

  test('is told by every verb that has nothing to go by then, with the way back', async () => {
    await exportIt();
    await rm(join(stateDirectory(), 'journal.db'));
    for (const verb of ['hold', 'resume', 'watch', 'why', 'report', 'journal']) {
      const { error } = await run([verb], gone);
      expect({ verb, error }).toMatchObject({
        verb,
        error: {
          message: expect.stringMatching(/there is no journal at .*\n.*is known by no journal; .* was not finished/),
          remedy: expect.stringContaining(`drover back ${operation}`),
        },
      });
    }
  });

  test('of a rollout that somebody took back is not to be applied on, for doctor either', async () => {
    await markIt();
    const checks = await examined(await journalWith([started]));
    expect(JSON.stringify(checks)).toContain('a back marker lies here');
    expect(JSON.stringify(checks)).not.toContain('drover apply');
  });

  test('is not called well by doctor', async () => {
    await exportIt();
    await markIt();
    const checks = await examined(gone);
    expect(checks.filter(({ level }) => level === 'trouble')).toEqual([
      { level: 'trouble', what: told, remedy: expect.stringContaining(`drover back ${operation}`) },
    ]);
    const whats = checks.map(({ what }) => what);
    expect(whats).toContain('no controller is running, and whether something is unfinished is not known');
    expect(whats.join()).not.toMatch(/nothing was started here|nothing is unfinished|no rollout is unfinished/);
    expect((await examined(damaged)).map(({ what }) => what)).toContain(told);
    // The journal that has it knows better.
    const known = await examined(await journalWith([started]));
    expect(known.filter(({ level }) => level === 'trouble')).toEqual([]);
  });
});

describe('a way back that the journal does not know of', () => {
  test('is told by why and report, by the back marker', async () => {
    await markIt();
    const journal = await journalWith([started]);
    const why = await run(['why'], journal);
    expect(why.words).toContain(
      `now: The way back was taken, and the journal does not know it: the back marker says: ${marked}.`,
    );
    const json = JSON.parse((await run(['why', '--json'], journal)).text);
    expect(differences('why.md', 'why', json)).toEqual([]);
    expect(json).toMatchObject({ stage: { kind: 'preparing' }, taken: `the back marker says: ${marked}` });
    const report = await run(['report'], journal);
    expect(report.text).toMatch(
      /^Outcome: \*\*the way back was taken, which the journal does not know \(by it: preparing/m,
    );
    expect(report.words).toContain(`the journal does not know it: the back marker says: ${marked}.`);
    expect(differences('why.md', 'report', JSON.parse((await run(['report', '--json'], journal)).text))).toEqual([]);
  });

  test('is told by status, why, report and doctor, by the controller that cannot write it down', async () => {
    const journal = await journalWith([started]);
    const taken = 'taken at 2025-12-31T23:59:59.000Z (kim asked for it, reason: it burns)';
    const control = takenUnwritten();
    const status = await run(['status'], journal, control);
    expect(status.words).toContain(`back ${taken}; the journal does not know it yet`);
    expect(status.words).toContain('nothing can be written to the journal: the disk is full');
    expect(status.words).not.toMatch(/promotes|judging/);
    const json = JSON.parse((await run(['status', '--json'], journal, control)).text);
    expect(json.rollouts).toMatchObject([{ taken: `${taken} by its controller (pid 42)` }]);
    const why = await run(['why'], journal, control);
    expect(why.words).toContain(`the journal does not know it: ${taken} by its controller (pid 42)`);
    expect(why.words).toContain('now: nothing can be written to the journal: the disk is full');
    expect((await run(['report'], journal, control)).words).toContain(`the journal does not know it: ${taken}`);
    const checks = await examined(journal, control);
    expect(checks.filter(({ level }) => level === 'trouble').map(({ what }) => what)).toEqual([
      `a controller is alive (pid 42): ${operation}; it cannot write its journal: the disk is full; the way back of ${operation} was ${taken} by its controller (pid 42)`,
    ]);
  });

  test('is not shown as measured where it was journalled late: what follows was seen only then', async () => {
    const none = { attempts: 0, failures: 0 };
    const counted = { origin: none, destination: none };
    const target = { requestedShare: 0, traffic: {}, origin: null, destination: null };
    const reportOf = async (lateMs: number) => {
      const cause = { kind: 'asked', by: 'kim', reason: null } as const;
      const performedAtMs = now - lateMs;
      return await run(
        ['report'],
        await journalWith([
          started,
          { kind: 'back-performed', cause, all: true, target, verdict: null, performedAtMs, counted },
          { kind: 'drained', inFlight: 0, afterMs: lateMs, counted },
        ]),
      );
    };
    const words = `taken without the journal, which was told at ${new Date(now).toISOString()}: what follows was seen only then. No destination attempt and 0 in flight after 3600 ms`;
    expect((await reportOf(3600)).words).toContain(words);
    expect((await reportOf(300)).words).not.toContain('seen only then');
  });
});

describe('a state directory, examined', () => {
  test.each([
    ['a disk without any room', { freeBytes: 0 }, 'trouble', /^the disk is full/],
    ['hardly any room', { freeBytes: 240 << 10 }, 'trouble', /^the disk is nearly full: only 240 KiB are free/],
    ['little room', { freeBytes: 5 << 20 }, 'warning', /only 5 MiB are free/],
    [
      'a file system that is read-only, also for root',
      { denied: 'EROFS' },
      'trouble',
      /^the file system is read-only$/,
    ],
    ['an owner that is somebody else', { denied: 'EACCES' }, 'trouble', /^this user may not write here \(mode 0700\)$/],
    ['room enough', {}, 'well', /^writable, mode 0700, 1\.0 GiB free$/],
  ] as const)('has %s', (_, given, level, what) => {
    const checks = directoryChecks({ denied: null, freeBytes: 1 << 30, mode: 0o40700, ...given });
    expect(checks).toMatchObject([{ level, what: expect.stringMatching(what) }]);
  });
});

async function examined(journal: Journal | PortError, control?: ControllerAnswer) {
  const { context } = contextInMemory({
    clock: { now: () => now, monotonic: () => 0, sleep: () => Promise.resolve() },
    world: worldOf(journal, control),
  });
  const { section } = await examineState(context, join(stateDirectory(), 'journal.db'), '.drover', null);
  // Of the machine on which the tests run.
  return section.checks.filter(({ what }) => !what.startsWith('writable'));
}
