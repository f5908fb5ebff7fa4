import type { Backend } from '../../../src/engine/ports.ts';
import { backendBringing, backendClauses, backendContract } from '../../contract/backend.ts';
import { plantedParts, testClauses, testPlanted, type Wrong } from '../../contract/clauses.ts';
import { openSimulated } from './backend.ts';

/** Each request is drawn by itself, so a share is exact only in the long run: 0.01 is four deviations of this many. */
const drawn = { shareTolerance: 0.01, shareRequests: 40_000 };
backendContract('simulated', () => openSimulated(), drawn);
testClauses(
  'contract of a backend: simulated, with servers that were put aside before',
  backendClauses(drawn).filter(({ name }) => name.startsWith('what a reading calls configured')),
  backendBringing(() => openSimulated({ 1: 'maint', 2: 'drain' })),
);

const wrong: readonly Wrong<Backend>[] = [
  {
    wrong: 'a server that is not named falls back to the configured weight',
    clause: 'weights take effect on real traffic, and servers that are not named keep theirs',
    as: (backend) => ({ setWeights: (weights, signal) => backend.setWeights({ 'old-3': 50, ...weights }, signal) }),
  },
  {
    wrong: 'weight 0 is taken for the smallest weight',
    clause: 'weight 0 gets nothing from the next request on, and a weight written again brings it back',
    as: (backend) => ({
      setWeights: (weights, signal) =>
        backend.setWeights(
          Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, weight === 0 ? 1 : weight])),
          signal,
        ),
    }),
  },
  {
    wrong: 'a weight brings a server in maint back',
    clause: 'maint gets nothing, even when a late weight is written afterwards; ready brings it back with that weight',
    as: (backend) => ({
      async setWeights(weights, signal) {
        await backend.setWeights(weights, signal);
        await backend.setStates(
          Object.fromEntries(Object.keys(weights).map((name) => [name, 'ready' as const])),
          signal,
        );
      },
    }),
  },
  {
    wrong: 'a server that nobody knows has had no attempts',
    clause: 'an unknown server is not-found, and nothing else was changed',
    as: (backend) => ({
      attempts: (servers, signal) =>
        backend.attempts(
          servers.filter((name) => name !== 'nosuch'),
          signal,
        ),
    }),
  },
  {
    wrong: 'a weight is brought into its range instead of refused',
    clause: 'a weight of 257 is refused, and nothing was changed',
    as: (backend) => ({
      setWeights: (weights, signal) =>
        backend.setWeights(
          Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, Math.min(256, weight)])),
          signal,
        ),
    }),
  },
  {
    wrong: 'what a server closed without a word counts as answered',
    clause: 'a server that does close: every attempt is its failure, hidden by retries or not',
    as: (backend) => ({
      async read(signal) {
        const reading = await backend.read(signal);
        const servers = reading.servers.map((server) => {
          const { attempts, rsp5xx, econ, eresp, scur } = server.counters;
          return { ...server, counters: { ...server.counters, rsp2xx: attempts - rsp5xx - econ - eresp - scur } };
        });
        return { ...reading, servers };
      },
    }),
  },
  {
    wrong: 'a new process keeps the name of the old one',
    clause: 'a restart of the balancer is a new process with new counters and the configured weights and states',
    as: (backend) => ({ read: async (signal) => ({ ...(await backend.read(signal)), process: 'the balancer' }) }),
  },
];

testPlanted(
  'contract of a backend',
  backendClauses(drawn),
  backendBringing(() => openSimulated()),
  plantedParts(wrong, (harness, mistaken) => ({ ...harness, backend: mistaken(harness.backend) })),
);
