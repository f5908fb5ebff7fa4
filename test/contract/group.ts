import { expect } from 'vitest';
import type { GroupReading, InstanceReading } from '../../src/core/observed/group.ts';
import { type Group, PortError } from '../../src/engine/ports.ts';
import { type Bringing, collectClauses, testClauses, type Write } from './clauses.ts';

/** A new group without instances. What it starts has to be gone after `dispose`. */
export type GroupUnderTest = {
  readonly group: Group;
  /** The wall clock that the group lives by. */
  nowMs(): number;
  /** Lets a little time pass: a short sleep for real ones, a step of virtual time for simulated ones. */
  pass(): Promise<void>;
  /** Ends the processes of all instances, as if they had crashed. */
  crash(): Promise<void>;
  dispose(): Promise<void>;
};

export type GroupSetting = {
  readonly min: number;
  readonly max: number;
  /** Whether the instances pass their health checks. */
  readonly healthy: boolean;
};

export type GroupContractOptions = {
  open(setting: GroupSetting): Promise<GroupUnderTest>;
  /** How often `pass` is called before something that should happen counts as not happening. */
  readonly passesMax: number;
  /** How often `pass` is called to see that something does not happen. */
  readonly passesQuiet: number;
};

export type GroupBench = {
  open(setting: GroupSetting): Promise<GroupUnderTest>;
  until(subject: GroupUnderTest, reached: (reading: GroupReading) => boolean): Promise<GroupReading>;
  quiet(subject: GroupUnderTest): Promise<void>;
  dispose(): Promise<void>;
};

/** What the engine relies on in every implementation of `Group` that can change its size. */
export function groupContract(name: string, options: GroupContractOptions): void {
  testClauses(`${name} keeps the contract of Group`, groupClauses(), groupBringing(options));
}

export function groupClauses() {
  return collectClauses<GroupBench>(sizeClauses, refusalClauses, shrinkClauses, restartClauses, honestyClauses);
}

export function groupBringing(options: GroupContractOptions): Bringing<GroupBench> {
  return {
    async open() {
      const opened: GroupUnderTest[] = [];
      return {
        async open(setting) {
          const subject = await options.open(setting);
          opened.push(subject);
          return subject;
        },
        until: (subject, reached) => readUntil(subject, reached, options.passesMax),
        async quiet(subject) {
          for (let pass = 0; pass < options.passesQuiet; pass += 1) await subject.pass();
        },
        async dispose() {
          for (const subject of opened.splice(0)) await subject.dispose();
        },
      };
    },
    close: (bench) => bench.dispose(),
  };
}

export async function readUntil(
  subject: Pick<GroupUnderTest, 'group' | 'pass'>,
  reached: (reading: GroupReading) => boolean,
  passesMax: number,
): Promise<GroupReading> {
  for (let pass = 0; ; pass += 1) {
    const reading = await subject.group.read(soon());
    if (reached(reading)) return reading;
    if (pass >= passesMax) throw new Error(`Not reached after ${pass} passes: ${JSON.stringify(reading, null, 2)}`);
    await subject.pass();
  }
}

function sizeClauses(write: Write<GroupBench>): void {
  write('reaches a wanted size and reads it back', async ({ open, until }) => {
    const subject = await open({ min: 0, max: 4, healthy: true });
    expect(await subject.group.read(soon())).toMatchObject({ size: { min: 0, max: 4, desired: 0 }, instances: [] });
    await subject.group.resize({ desired: 3 }, soon());
    expect((await subject.group.read(soon())).size).toEqual({ min: 0, max: 4, desired: 3 });
    const reading = await until(subject, ({ instances }) => countHealthy(instances) === 3);
    expect(reading.instances).toHaveLength(3);
    expect(new Set(reading.instances.map((instance) => instance.id)).size).toBe(3);
    expect(new Set(reading.instances.map((instance) => instance.server)).size).toBe(3);
    expect(reading.build.known).toBe(true);
  });

  write('changes nothing when the same size is asked for again', async ({ open, until, quiet }) => {
    const subject = await open({ min: 0, max: 4, healthy: true });
    await subject.group.resize({ min: 1, desired: 2 }, soon());
    const before = await until(subject, ({ instances }) => countHealthy(instances) === 2);
    await Promise.all([1, 2, 3].map(() => subject.group.resize({ min: 1, desired: 2 }, soon())));
    await subject.group.resize({}, soon());
    await quiet(subject);
    const after = await subject.group.read(soon());
    expect(after.size).toEqual(before.size);
    expect(identities(after)).toEqual(identities(before));
  });

  write('raises what is desired to the minimum, and leaves alone what is left out', async ({ open }) => {
    const subject = await open({ min: 0, max: 4, healthy: true });
    await subject.group.resize({ min: 2 }, soon());
    expect((await subject.group.read(soon())).size).toEqual({ min: 2, max: 4, desired: 2 });
    await subject.group.resize({ desired: 1 }, soon());
    expect((await subject.group.read(soon())).size).toEqual({ min: 2, max: 4, desired: 2 });
    await subject.group.resize({ min: 0 }, soon());
    expect((await subject.group.read(soon())).size).toEqual({ min: 0, max: 4, desired: 2 });
  });
}

function refusalClauses(write: Write<GroupBench>): void {
  for (const size of [{ desired: 5 }, { min: 5 }, { desired: -1 }, { desired: 1.5 }, { min: Number.NaN }]) {
    write(`refuses ${JSON.stringify(size)} where 4 is the maximum, and stays as it was`, async ({ open }) => {
      const subject = await open({ min: 0, max: 4, healthy: true });
      const refused = await subject.group.resize(size, soon()).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(PortError);
      expect(refused).toMatchObject({ code: 'refused', retriable: false });
      expect((await subject.group.read(soon())).size).toEqual({ min: 0, max: 4, desired: 0 });
    });
  }
}

function shrinkClauses(write: Write<GroupBench>): void {
  write('stops the highest instances when it shrinks, and none of the others', async ({ open, until }) => {
    const subject = await open({ min: 0, max: 4, healthy: true });
    await subject.group.resize({ desired: 3 }, soon());
    const full = await until(subject, ({ instances }) => countHealthy(instances) === 3);
    await subject.group.resize({ desired: 1 }, soon());
    const shrunk = await until(subject, ({ instances }) => instances.length === 1);
    expect(identities(shrunk)).toEqual(identities(full).slice(0, 1));
  });

  write('takes what it stops out of the healthy ones at once', async ({ open, until }) => {
    const subject = await open({ min: 0, max: 4, healthy: true });
    await subject.group.resize({ desired: 2 }, soon());
    const [, last] = (await until(subject, ({ instances }) => countHealthy(instances) === 2)).instances;
    await subject.group.resize({ desired: 1 }, soon());
    const reading = await until(subject, ({ instances }) => countHealthy(instances) === 1);
    const stopping = reading.instances.find((instance) => instance.id === last?.id);
    expect(stopping?.state ?? 'stopping').toBe('stopping');
  });
}

function restartClauses(write: Write<GroupBench>): void {
  write('says by the wall clock when an instance was started', async ({ open, until }) => {
    const subject = await open({ min: 0, max: 4, healthy: true });
    const beforeMs = subject.nowMs();
    await subject.group.resize({ desired: 1 }, soon());
    const [instance] = (await until(subject, ({ instances }) => countHealthy(instances) === 1)).instances;
    expect(instance?.startedAtMs).toBeGreaterThanOrEqual(Math.floor(beforeMs));
    expect(instance?.startedAtMs).toBeLessThanOrEqual(Math.ceil(subject.nowMs()));
    expect(instance?.restarts).toBe(0);
  });

  write('an instance that ended comes back as the same one, with one restart and a new start', async (bench) => {
    const subject = await bench.open({ min: 0, max: 4, healthy: true });
    await subject.group.resize({ desired: 1 }, soon());
    const [before] = (await bench.until(subject, ({ instances }) => countHealthy(instances) === 1)).instances;
    await subject.crash();
    const again = await bench.until(subject, ({ instances }) => {
      const [instance] = instances;
      // A restart is one only once it has been started again: whoever counts restarts also finds the new start.
      if (instance?.restarts === 1) expect(instance.startedAtMs).toBeGreaterThan(before?.startedAtMs ?? Number.NaN);
      return instance?.restarts === 1 && instance.state === 'healthy';
    });
    expect(again.instances).toMatchObject([{ id: before?.id, server: before?.server, restarts: 1 }]);
    expect(again.size).toEqual({ min: 0, max: 4, desired: 1 });
  });

  write('an instance that ends again and again is crash-looping, and not healthy', async ({ open, until }) => {
    const subject = await open({ min: 0, max: 4, healthy: true });
    await subject.group.resize({ desired: 1 }, soon());
    await until(subject, ({ instances }) => countHealthy(instances) === 1);
    for (let ends = 1; ends <= 6; ends += 1) {
      await subject.crash();
      const isAgain = ({ instances: [instance] }: GroupReading) =>
        instance?.state === 'crash-looping' || instance?.restarts === ends;
      const { instances } = await until(subject, isAgain);
      if (instances[0]?.state === 'crash-looping') return;
    }
    expect.fail('six ends in a row, and still not called crash-looping');
  });
}

function honestyClauses(write: Write<GroupBench>): void {
  write('never calls an instance healthy that is not', async ({ open, until, quiet }) => {
    const subject = await open({ min: 0, max: 4, healthy: false });
    await subject.group.resize({ desired: 2 }, soon());
    await until(subject, ({ instances }) => instances.length === 2);
    const passing = {
      ...subject,
      async pass() {
        await subject.pass();
        expect(countHealthy((await subject.group.read(soon())).instances)).toBe(0);
      },
    };
    await quiet(passing);
  });

  write('does nothing once its deadline has passed, and says so', async ({ open }) => {
    const subject = await open({ min: 0, max: 4, healthy: true });
    await expect(subject.group.read(AbortSignal.abort())).rejects.toBeInstanceOf(PortError);
    await expect(subject.group.resize({ desired: 2 }, AbortSignal.abort())).rejects.toBeInstanceOf(PortError);
    await subject.pass();
    expect(await subject.group.read(soon())).toMatchObject({ size: { desired: 0 }, instances: [] });
  });
}

function soon(): AbortSignal {
  return AbortSignal.timeout(30_000);
}

function countHealthy(instances: readonly InstanceReading[]): number {
  return instances.filter((instance) => instance.state === 'healthy').length;
}

function identities({ instances }: GroupReading): string[] {
  return instances.map(({ id, startedAtMs, restarts }) => `${id} ${startedAtMs} ${restarts}`).sort();
}

/** A group whose size is somebody else's: the provider `none`, and an environment without a provider in a simulated world. */
export function fixedGroupClauses() {
  return collectClauses<Pick<GroupUnderTest, 'group' | 'pass' | 'dispose'>>((write) => {
    write('has no size, and knows the build', async ({ group }) => {
      const reading = await group.read(soon());
      expect(reading.size).toBeNull();
      expect(reading.build).toMatchObject({ known: true });
    });

    write('refuses every size for good, and stays as it was', async ({ group, pass }) => {
      const before = await group.read(soon());
      for (const size of [{ desired: 1 }, { min: 1 }, { min: 0, desired: 0 }]) {
        const refused = await group.resize(size, soon()).catch((error: unknown) => error);
        expect(refused).toBeInstanceOf(PortError);
        expect(refused).toMatchObject({ code: 'refused', retriable: false });
      }
      await pass();
      expect(await group.read(soon())).toEqual(before);
    });

    write('does nothing once its deadline has passed, and says so', async ({ group }) => {
      await expect(group.read(AbortSignal.abort())).rejects.toMatchObject({ name: 'PortError', code: 'timeout' });
      await expect(group.resize({ desired: 1 }, AbortSignal.abort())).rejects.toBeInstanceOf(PortError);
    });
  });
}

export function fixedGroupContract(
  name: string,
  open: () => Promise<Pick<GroupUnderTest, 'group' | 'pass' | 'dispose'>>,
): void {
  testClauses(`${name} keeps the contract of a Group of fixed size`, fixedGroupClauses(), {
    open,
    close: (subject) => subject.dispose(),
  });
}
