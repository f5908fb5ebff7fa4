import type { Group } from '../../../src/engine/ports.ts';
import { plantedParts, testPlanted, type Wrong } from '../../contract/clauses.ts';
import {
  fixedGroupClauses,
  fixedGroupContract,
  type GroupBench,
  type GroupContractOptions,
  type GroupSetting,
  type GroupUnderTest,
  groupBringing,
  groupClauses,
  groupContract,
} from '../../contract/group.ts';
import { openWorld } from './world.ts';

const startMs = [1000, 3000] as const;
const options: GroupContractOptions = { open: openFleet, passesMax: 600, passesQuiet: 60 };
groupContract('simulated', options);
fixedGroupContract('simulated', async () => openFixed());

async function openFleet({ min, max, healthy }: GroupSetting): Promise<GroupUnderTest> {
  const { world, time, controller } = openWorld({
    destination: { size: { min, max, desired: min }, capacityRps: 1e9, resizable: true, startMs },
    faults: healthy ? {} : { 'instance-never-healthy': 1 },
  });
  const ports = controller();
  return {
    group: ports.destination,
    nowMs: () => ports.clock.now(),
    pass: () => time.pass(500),
    async crash() {
      for (const instance of world.destination.instances) world.destination.kill(instance);
    },
    dispose: async () => undefined,
  };
}

function openFixed(): Pick<GroupUnderTest, 'group' | 'pass' | 'dispose'> {
  const { time, controller } = openWorld({
    origin: { size: { min: 2, max: 4, desired: 2 }, capacityRps: 1e9, resizable: false, startMs },
  });
  return { group: controller().origin, pass: () => time.pass(500), dispose: async () => undefined };
}

const wrong: readonly Wrong<Group>[] = [
  {
    wrong: 'a size that is out of bounds is brought into them',
    clause: 'refuses {"desired":5} where 4 is the maximum, and stays as it was',
    as: (group) => ({
      resize: ({ desired, ...size }, signal) =>
        group.resize(desired === undefined ? size : { ...size, desired: Math.min(4, desired) }, signal),
    }),
  },
  {
    wrong: 'what is left out becomes what it was at first',
    clause: 'raises what is desired to the minimum, and leaves alone what is left out',
    as: (group) => ({ resize: (size, signal) => group.resize({ min: 0, ...size }, signal) }),
  },
  {
    wrong: 'the same size asked for again is one more',
    clause: 'changes nothing when the same size is asked for again',
    as: (group) => ({
      async resize(size, signal) {
        const before = (await group.read(signal)).size;
        const isSame = before !== null && before.desired === size.desired;
        await group.resize(isSame ? { ...size, desired: before.desired + 1 } : size, signal);
      },
    }),
  },
  {
    wrong: 'of two instances the lowest is stopped, and the highest is left',
    clause: 'stops the highest instances when it shrinks, and none of the others',
    as: (group) => ({
      async read(signal) {
        const reading = await group.read(signal);
        const [first] = reading.instances;
        if (reading.size?.desired !== 1 || first === undefined) return reading;
        return { ...reading, instances: [{ ...first, id: 'the highest' }] };
      },
    }),
  },
  {
    wrong: 'an instance that does not answer is called healthy',
    clause: 'never calls an instance healthy that is not',
    as: (group) => ({
      async read(signal) {
        const reading = await group.read(signal);
        return { ...reading, instances: reading.instances.map((one) => ({ ...one, state: 'healthy' as const })) };
      },
    }),
  },
  {
    wrong: 'a restart is counted before anything was started again',
    clause: 'an instance that ended comes back as the same one, with one restart and a new start',
    as: (group) => ({
      async read(signal) {
        const reading = await group.read(signal);
        const instances = reading.instances.map((one) => ({ ...one, restarts: 1, state: 'healthy' as const }));
        return { ...reading, instances };
      },
    }),
  },
];

testPlanted<GroupBench>(
  'contract of a group',
  groupClauses(),
  groupBringing(options),
  plantedParts(wrong, (bench, mistaken) => ({
    ...bench,
    async open(setting) {
      const subject = await bench.open(setting);
      return { ...subject, group: mistaken(subject.group) };
    },
  })),
);

testPlanted(
  'contract of a group of fixed size',
  fixedGroupClauses(),
  { open: async () => openFixed(), close: (subject) => subject.dispose() },
  [
    {
      wrong: 'a size that cannot be changed is taken for changed',
      clause: 'refuses every size for good, and stays as it was',
      plant: (subject) => ({ ...subject, group: { ...subject.group, resize: async () => undefined } }),
    },
  ],
);
