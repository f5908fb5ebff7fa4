import { describe, expect, test } from 'vitest';
import { missingAcls, type TopicAcl } from '../../src/core/move/acl-facts.ts';
import type { MoverWanted } from '../../src/core/move/operation/decision.ts';
import { moveRules } from '../../src/core/move/operation/events.ts';
import type { MoveRequest, TopicFound } from '../../src/core/move/operation/observation.ts';
import type { MoverTold } from '../../src/core/move/operation/told.ts';
import { startOperation } from '../../src/engine/anchors.ts';
import { inboxFor } from '../../src/engine/inbox.ts';
import { runMove } from '../../src/engine/move-operation.ts';
import type { MovePorts, MoverProcess, MoveTarget, TargetAcls } from '../../src/engine/move-ports.ts';
import { recordMove } from '../../src/engine/move-record.ts';
import { PortError } from '../../src/engine/ports.ts';
import { openMemoryJournal } from '../../src/io/journal/memory.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { Schedule } from '../../src/sim/schedule.ts';
import { madeAcl } from '../made/acls.ts';
import { absent, madeCopyPlan, madeFound, madeTold } from '../made/copy.ts';
import { virtualTime } from '../sim/contract/virtual-time.ts';

const timing = { pollMs: 1000, callMs: 3000, leaseMs: 12_000 };

/** A target with one topic, and a mover that copies two offsets each half second while it is allowed to. */
class Bench {
  readonly schedule = new Schedule();
  readonly time = virtualTime(this.schedule);
  readonly journal = openMemoryJournal();
  topic: TopicFound = absent;
  acls: readonly TopicAcl[] = [];
  settled = 0;
  readonly written: { readonly by: string; readonly atMs: number }[] = [];
  isJournalHung = false;
  isMoverSettled = true;

  async begin(plan = madeCopyPlan()): Promise<void> {
    const started = { kind: 'copy-started', plan, rate: null } as const;
    await this.time.during(
      startOperation(this.ports('first', this.mover('first')), 'copy-1', started, 'kim', moveRules),
    );
  }

  async kinds(): Promise<string[]> {
    return (await this.journal.read('copy-1', 0)).map(({ body }) => body.kind);
  }

  mover(name: string): MoverProcess & { wanted: MoverWanted | null } {
    let told: MoverTold = { kind: 'none' };
    let untilMs = 0;
    const tick = async () => {
      if (process.wanted === null || process.wanted.isHeld || this.schedule.nowMs >= untilMs) return;
      this.written.push({ by: name, atMs: this.schedule.nowMs });
      this.settled = Math.min(100, this.settled + 2);
      const partitions = [madeTold(this.settled)];
      told = { kind: this.settled < 100 ? 'running' : 'done', isHeld: false, bytes: 1000, partitions };
      if (told.kind === 'done') process.wanted = null;
      this.schedule.after(500, () => void tick());
    };
    const process = {
      wanted: null as MoverWanted | null,
      want(wanted: MoverWanted | null) {
        const before = process.wanted;
        process.wanted = told.kind === 'done' ? null : wanted;
        if (wanted === null && told.kind === 'running') told = { kind: 'none' };
        if (wanted !== null && !wanted.isHeld && (before === null || before.isHeld)) void tick();
      },
      told: () => told,
      allow: (leftMs: number) => {
        untilMs = Math.max(untilMs, leftMs > 0 ? nowMs() + leftMs : 0);
      },
      news: (signal: AbortSignal) => this.#sleep(700, signal),
      close: async () => {
        process.want(null);
        return { isSettled: this.isMoverSettled };
      },
    };
    const nowMs = () => this.schedule.nowMs;
    return process;
  }

  ports(holder: string, mover: MoverProcess): MovePorts {
    const target: MoveTarget = {
      read: async () => ({ orders: this.topic }),
      makeTopic: async () => {
        this.topic = madeFound('1000');
        return this.topic.topicId;
      },
      makePartitions: async () => undefined,
      changeSettings: async (changes) => {
        for (const { value } of changes) this.topic = madeFound(value ?? 'none');
      },
      deleteTopic: async () => {
        this.topic = absent;
      },
    };
    const acls: TargetAcls = {
      readAcls: async () => this.acls,
      makeAcls: async (made) => {
        this.acls = [...this.acls, ...made];
      },
      deleteAcls: async (gone) => {
        this.acls = missingAcls(this.acls, gone);
      },
    };
    const answered = async <T>(work: () => Promise<T>): Promise<T> => {
      if (this.isJournalHung) throw new PortError('disk-full', 'no room', { retriable: true });
      return await work();
    };
    return {
      clock: {
        now: () => 1_000_000 + this.schedule.nowMs,
        monotonic: () => this.schedule.nowMs,
        sleep: (ms, signal) => this.#sleep(ms, signal),
      },
      journal: {
        ...bound(this.journal),
        append: (head, entries) => answered(() => this.journal.append(head, entries)),
      },
      leases: {
        acquire: (...asked) => answered(() => this.journal.leases.acquire(...asked)),
        release: (...asked) => this.journal.leases.release(...asked),
        holderOf: (...asked) => this.journal.leases.holderOf(...asked),
      },
      ...{ target, acls, mover, sha256, holder, timing, tell: () => undefined },
    };
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.schedule.after(ms, () => resolve());
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}

function bound(journal: ReturnType<typeof openMemoryJournal>): ReturnType<typeof openMemoryJournal> {
  return {
    leases: journal.leases,
    samples: journal.samples,
    append: (...asked) => journal.append(...asked),
    read: (...asked) => journal.read(...asked),
    heads: () => journal.heads(),
    close: () => journal.close(),
  };
}

const never = new AbortController().signal;
const inbox = () => inboxFor<MoveRequest>(({ kind }) => kind !== 'resume');

describe('the loop of a copy', () => {
  test('makes, copies, restores, and says so in its chain before each step', async () => {
    const bench = new Bench();
    await bench.begin();
    const ports = bench.ports('first', bench.mover('first'));
    expect(await bench.time.during(runMove(ports, 'copy-1', inbox(), never))).toEqual({ end: 'ended' });
    expect((await bench.kinds()).filter((kind) => kind !== 'copy-checkpoint')).toEqual([
      ...['copy-started', 'topic-made', 'levers-intended', 'levers-set', 'copying', 'caught-up', 'levers-restored'],
      'copied',
    ]);
    expect(bench.topic).toEqual(madeFound('1000'));
    expect((await bench.journal.read('fleet', 0)).map(({ body }) => body.kind)).toEqual([
      ...['operation-started', 'operation-ended'],
    ]);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'stopped after %i passes, is ended by the next controller all the same',
    async (passes) => {
      const bench = new Bench();
      await bench.begin();
      const stop = new AbortController();
      let seen = 0;
      const first = bench.ports('first', bench.mover('first'));
      const glance = () => {
        seen += 1;
        if (seen === passes) stop.abort();
      };
      await bench.time.during(runMove(first, 'copy-1', inbox(), stop.signal, glance));
      const second = bench.ports('second', bench.mover('second'));
      expect(await bench.time.during(runMove(second, 'copy-1', inbox(), never))).toEqual({ end: 'ended' });
      expect(await bench.kinds()).toEqual(expect.arrayContaining(['caught-up', 'levers-restored', 'copied']));
      expect([bench.topic, bench.settled]).toEqual([madeFound('1000'), 100]);
    },
  );

  test('a hold reaches the mover while the journal takes nothing, and is journalled once it does', async () => {
    const bench = new Bench();
    await bench.begin();
    const [mover, asked, stop] = [bench.mover('first'), inbox(), new AbortController()];
    const run = bench.time.during(runMove(bench.ports('first', mover), 'copy-1', asked, stop.signal));
    await bench.time.pass(6000);
    expect(bench.settled).toBeGreaterThan(0);
    bench.isJournalHung = true;
    asked.push({ kind: 'hold', by: 'kim', why: 'lunch' });
    await bench.time.pass(10);
    const held = bench.settled;
    await bench.time.pass(5000);
    expect(bench.settled).toBe(held);
    bench.isJournalHung = false;
    await bench.time.pass(20_000);
    expect(await bench.kinds()).toContain('copy-held');
    expect(bench.settled).toBe(held);
    asked.push({ kind: 'resume', by: 'kim', reason: null });
    expect(await run).toEqual({ end: 'ended' });
  });

  test.each([2, 3, 4, 5, 6, 7, 8])(
    'stopped after %i passes and aborted by the next controller, leaves the ACLs of others and none of its own',
    async (passes) => {
      const bench = new Bench();
      const [theirs, ours] = [madeAcl(), madeAcl({ operation: 4 })];
      await bench.begin(madeCopyPlan({ acls: [theirs, ours] }));
      // Somebody was quicker than the copy.
      bench.acls = [theirs];
      const stop = new AbortController();
      let seen = 0;
      const glance = () => {
        seen += 1;
        if (seen === passes) stop.abort();
      };
      const first = bench.ports('first', bench.mover('first'));
      await bench.time.during(runMove(first, 'copy-1', inbox(), stop.signal, glance));
      if (passes >= 4) expect(bench.acls).toEqual([theirs, ours]);
      const asked = inbox();
      asked.push({ kind: 'abort', by: 'kim', reason: null });
      const second = bench.ports('second', bench.mover('second'));
      expect(await bench.time.during(runMove(second, 'copy-1', asked, never))).toEqual({ end: 'ended' });
      expect(bench.acls).toEqual([theirs]);
      expect((await bench.kinds()).at(-1)).toBe('copy-aborted');
    },
  );

  test('without a lease that is renewed nothing is sent after its end', async () => {
    const bench = new Bench();
    await bench.begin();
    const stop = new AbortController();
    const run = bench.time.during(runMove(bench.ports('first', bench.mover('first')), 'copy-1', inbox(), stop.signal));
    await bench.time.pass(2200);
    bench.isJournalHung = true;
    const hungAtMs = bench.schedule.nowMs;
    await bench.time.pass(60_000);
    const last = bench.written.at(-1)?.atMs ?? 0;
    expect(last).toBeLessThan(hungAtMs + timing.leaseMs);
    stop.abort();
    await run;
  });

  test('a successor begins to send only after all that the one before was allowed to, which hangs', async () => {
    const bench = new Bench();
    await bench.begin();
    const [frozen, stop] = [bench.mover('first'), new AbortController()];
    // It never learns of anything any more, and sends for as long as it may.
    const first = bench.ports('first', frozen);
    const hanging = { ...first, clock: { ...first.clock } };
    const run = bench.time.during(runMove(hanging, 'copy-1', inbox(), stop.signal));
    await bench.time.pass(2200);
    Object.assign(hanging.leases, { acquire: () => new Promise(() => undefined) });
    await bench.time.pass(4000);
    const second = bench.ports('second', bench.mover('second'));
    expect(await bench.time.during(runMove(second, 'copy-1', inbox(), never))).toEqual({ end: 'ended' });
    const lastOfFirst = bench.written.findLast(({ by }) => by === 'first')?.atMs ?? 0;
    const firstOfSecond = bench.written.find(({ by }) => by === 'second')?.atMs ?? 0;
    expect(firstOfSecond).toBeGreaterThan(lastOfFirst + timing.callMs);
    stop.abort();
    await run;
  });

  test.each([true, false])(
    'after one that has stopped, settled: %s, the next one waits for what may be under way, and for nothing else',
    async (isSettled) => {
      const bench = new Bench();
      await bench.begin();
      bench.isMoverSettled = isSettled;
      const stop = new AbortController();
      const run = bench.time.during(
        runMove(bench.ports('first', bench.mover('first')), 'copy-1', inbox(), stop.signal),
      );
      await bench.time.pass(4200);
      stop.abort();
      await run;
      const stoppedMs = bench.schedule.nowMs;
      const second = bench.ports('second', bench.mover('second'));
      await bench.time.during(runMove(second, 'copy-1', inbox(), never));
      const waitedMs = (bench.written.find(({ by }) => by === 'second')?.atMs ?? 0) - stoppedMs;
      if (isSettled) expect(waitedMs).toBeLessThan(timing.pollMs);
      else expect(waitedMs).toBeGreaterThanOrEqual(timing.callMs);
    },
  );

  test('a hold without a controller is found by the next one', async () => {
    const bench = new Bench();
    await bench.begin();
    const ports = bench.ports('operator', bench.mover('operator'));
    const hold = { kind: 'copy-held', by: 'kim', why: 'lunch' } as const;
    expect(await bench.time.during(recordMove(ports, 'copy-1', 'kim', () => [hold]))).toBe('written');
    const stop = new AbortController();
    const run = bench.time.during(
      runMove(bench.ports('second', bench.mover('second')), 'copy-1', inbox(), stop.signal),
    );
    await bench.time.pass(30_000);
    expect([bench.settled, bench.topic]).toEqual([0, absent]);
    stop.abort();
    expect(await run).toEqual({ end: 'stopped' });
    expect((await bench.kinds()).at(-1)).toBe('copy-left');
  });
});
