import { afterEach, describe, expect, it } from 'vitest';
import type { GroupReading, InstanceReading } from '../../src/core/observed/group.ts';
import { type Group, PortError } from '../../src/engine/ports.ts';

/** A new group without instances. What it starts has to be gone after `dispose`. */
export type GroupUnderTest = {
  readonly group: Group;
  /** Lets a little time pass: a short sleep for real ones, a step of virtual time for simulated ones. */
  pass(): Promise<void>;
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

type Bench = {
  open(setting: GroupSetting): Promise<GroupUnderTest>;
  until(subject: GroupUnderTest, reached: (reading: GroupReading) => boolean): Promise<GroupReading>;
  readonly passesQuiet: number;
};

/** What the engine relies on in every implementation of `Group` that can change its size. */
export function groupContract(name: string, options: GroupContractOptions): void {
  const opened: GroupUnderTest[] = [];
  const bench: Bench = {
    async open(setting) {
      const subject = await options.open(setting);
      opened.push(subject);
      return subject;
    },
    until: (subject, reached) => readUntil(subject, reached, options.passesMax),
    passesQuiet: options.passesQuiet,
  };
  describe(`${name} keeps the contract of Group`, () => {
    afterEach(async () => {
      for (const subject of opened.splice(0)) await subject.dispose();
    });
    sizeTests(bench);
    shrinkTests(bench);
    honestyTests(bench);
  });
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

function sizeTests({ open, until, passesQuiet }: Bench): void {
  it('reaches a wanted size and reads it back', async () => {
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

  it('changes nothing when the same size is asked for again', async () => {
    const subject = await open({ min: 0, max: 4, healthy: true });
    await subject.group.resize({ min: 1, desired: 2 }, soon());
    const before = await until(subject, ({ instances }) => countHealthy(instances) === 2);
    await Promise.all([1, 2, 3].map(() => subject.group.resize({ min: 1, desired: 2 }, soon())));
    await subject.group.resize({}, soon());
    for (let pass = 0; pass < passesQuiet; pass += 1) await subject.pass();
    const after = await subject.group.read(soon());
    expect(after.size).toEqual(before.size);
    expect(identities(after)).toEqual(identities(before));
  });

  it('raises what is desired to the minimum, and leaves alone what is left out', async () => {
    const subject = await open({ min: 0, max: 4, healthy: true });
    await subject.group.resize({ min: 2 }, soon());
    expect((await subject.group.read(soon())).size).toEqual({ min: 2, max: 4, desired: 2 });
    await subject.group.resize({ desired: 1 }, soon());
    expect((await subject.group.read(soon())).size).toEqual({ min: 2, max: 4, desired: 2 });
    await subject.group.resize({ min: 0 }, soon());
    expect((await subject.group.read(soon())).size).toEqual({ min: 0, max: 4, desired: 2 });
  });

  it.each([{ desired: 5 }, { min: 5 }, { desired: -1 }, { desired: 1.5 }, { min: Number.NaN }])(
    'refuses %j where 4 is the maximum, and stays as it was',
    async (size) => {
      const subject = await open({ min: 0, max: 4, healthy: true });
      const refused = await subject.group.resize(size, soon()).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(PortError);
      expect(refused).toMatchObject({ code: 'refused', retriable: false });
      expect((await subject.group.read(soon())).size).toEqual({ min: 0, max: 4, desired: 0 });
    },
  );
}

function shrinkTests({ open, until }: Bench): void {
  it('stops the highest instances when it shrinks, and none of the others', async () => {
    const subject = await open({ min: 0, max: 4, healthy: true });
    await subject.group.resize({ desired: 3 }, soon());
    const full = await until(subject, ({ instances }) => countHealthy(instances) === 3);
    await subject.group.resize({ desired: 1 }, soon());
    const shrunk = await until(subject, ({ instances }) => instances.length === 1);
    expect(identities(shrunk)).toEqual(identities(full).slice(0, 1));
  });

  it('takes what it stops out of the healthy ones at once', async () => {
    const subject = await open({ min: 0, max: 4, healthy: true });
    await subject.group.resize({ desired: 2 }, soon());
    const [, last] = (await until(subject, ({ instances }) => countHealthy(instances) === 2)).instances;
    await subject.group.resize({ desired: 1 }, soon());
    const reading = await until(subject, ({ instances }) => countHealthy(instances) === 1);
    const stopping = reading.instances.find((instance) => instance.id === last?.id);
    expect(stopping?.state ?? 'stopping').toBe('stopping');
  });
}

function honestyTests({ open, until, passesQuiet }: Bench): void {
  it('never calls an instance healthy that is not', async () => {
    const subject = await open({ min: 0, max: 4, healthy: false });
    await subject.group.resize({ desired: 2 }, soon());
    await until(subject, ({ instances }) => instances.length === 2);
    for (let pass = 0; pass < passesQuiet; pass += 1) {
      await subject.pass();
      const { instances } = await subject.group.read(soon());
      expect(countHealthy(instances)).toBe(0);
    }
  });

  it('does nothing once its deadline has passed, and says so', async () => {
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
