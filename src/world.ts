import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { World } from './cli/context.ts';
import type { BalancerConfig } from './core/fleet/config.ts';
import { PortError } from './engine/ports.ts';
import { embeddedBackend } from './io/balancer/embedded/backend.ts';
import { startEmbedded, stopEmbedded } from './io/balancer/embedded/lifecycle.ts';
import { embeddedConfigOf } from './io/balancer/embedded/of-config.ts';
import { embeddedProcess } from './io/balancer/embedded/process-facts.ts';
import { runningEmbedded } from './io/balancer/embedded/running.ts';
import { HaproxyBackend } from './io/balancer/haproxy/backend.ts';
import { backendNames } from './io/balancer/haproxy/backend-names.ts';
import { haproxyProcess } from './io/balancer/haproxy/process-facts.ts';
import { systemClock } from './io/clock/system.ts';
import { askControl, listenControl } from './io/control/socket.ts';
import { sha256 } from './io/journal/sha256.ts';
import { openSqliteJournal } from './io/journal/sqlite.ts';
import { AdoptedLedger, placeAdoptedLedger } from './io/kafka/child/adopted-ledger.ts';
import { openTrail } from './io/kafka/child/ledger-trail.ts';
import { lookAtLedger, readLedger } from './io/kafka/child/look-at-ledger.ts';
import { openMoverProcess } from './io/kafka/child/mover-process.ts';
import { clusterAccess } from './io/kafka/cluster-access.ts';
import { CopySide } from './io/kafka/copy-side.ts';
import { CopyTarget } from './io/kafka/copy-target.ts';
import { ProofSide } from './io/kafka/proof-side.ts';
import { openReader } from './io/kafka/reader/open-reader.ts';
import { fileMarker } from './io/marker/file.ts';
import { serveMetrics } from './io/metrics/serve-metrics.ts';
import { openNotifier } from './io/notify/notifier.ts';
import { LocalGroup } from './io/provider/local/group.ts';
import { portHolder } from './io/provider/local/port-holder.ts';
import { runningInstances } from './io/provider/local/running.ts';
import { stopAll, stopMsMax } from './io/provider/local/stop-all.ts';
import { openUnprovidedGroup } from './io/provider/none.ts';

/** The composition root: the only place that constructs implementations of the engine's ports. */
export const realWorld: World = {
  openJournal: (path, options) => openSqliteJournal(path, options),
  openBackends(balancer, { backend }) {
    if (balancer.kind === 'embedded') {
      const { name, socket } = balancer;
      return [{ id: `${name}/${backend}`, address: socket, backend: embeddedBackend(socket, backend) }];
    }
    return balancer.sockets.map((socket, index) => ({
      id: balancer.sockets.length === 1 ? `${balancer.name}/${backend}` : `${balancer.name}/${backend}#${index + 1}`,
      address: socket,
      backend: new HaproxyBackend({ socket, backend, configFile: balancer.configFile }),
    }));
  },
  async listBackends(balancer: BalancerConfig, signal) {
    if (balancer.kind === 'haproxy') return backendNames(balancer.sockets[0] ?? '', signal);
    throw new PortError('refused', 'the embedded balancer has the backends that drover.yaml names', {
      retriable: false,
    });
  },
  inspectProcess: (balancer, socket, signal) =>
    balancer.kind === 'haproxy' ? haproxyProcess(socket, signal) : embeddedProcess(socket, signal),
  openGroup(service, side, options) {
    const group = service[side];
    const name = `${service.name}.${side}`;
    if (group.local === null) {
      const { environment, build } = group;
      const opened = openUnprovidedGroup({ name, environment, build, addresses: options.addresses });
      return { group: opened, close: () => Promise.resolve() };
    }
    const local = new LocalGroup({
      name,
      group,
      stateDirectory: options.stateDirectory,
      mode: options.mode,
      clock: systemClock,
      ...(options.loadRps === undefined ? {} : { loadRps: options.loadRps }),
    });
    return { group: local, close: () => local.close() };
  },
  async startBalancer(config, name, stateDirectory, signal) {
    const balancer = config.balancers[name];
    if (balancer?.kind !== 'embedded') return 'runs';
    const embedded = embeddedConfigOf(config, balancer);
    const { reused, again } = await startEmbedded(embedded, join(stateDirectory, 'balancers'), signal);
    return reused ? 'runs' : again ? 'started again' : 'started';
  },
  async startedHere(stateDirectory) {
    const instances = runningInstances(stateDirectory);
    return [
      ...instances.map(({ group, name, pid }) => ({ kind: 'instance' as const, of: group, name, pid })),
      ...runningEmbedded(join(stateDirectory, 'balancers')).map(({ name, pid }) => ({
        kind: 'balancer' as const,
        ...{ of: name, name, pid },
      })),
    ];
  },
  async endStarted(stateDirectory, only) {
    const balancers = join(stateDirectory, 'balancers');
    const { left } = await stopAll(stateDirectory, stopMsMax, only?.groups ?? null);
    for (const { name } of runningEmbedded(balancers)) {
      if (only === null || only.balancers.includes(name)) await stopEmbedded(name, balancers);
    }
    return left;
  },
  portHolder,
  openMarker: fileMarker,
  listenControl: (path, handler) => listenControl(path, (request) => handler(request as Parameters<typeof handler>[0])),
  askControl,
  sha256,
  openNotifier: (endpoints, onTrouble) => openNotifier({ endpoints, clock: systemClock, onTrouble }),
  async ping(url, signal) {
    const response = await fetch(url, { signal });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`it was answered with ${response.status}`);
  },
  serveMetrics,
  openKafka(reach) {
    const { reader, notes } = openReader(reach);
    return Object.assign(reader, { notes });
  },
  openCopySide: (reach) => new CopySide(reach),
  openCopyTarget: (reach, ledgerEnd) => new CopyTarget(reach, ledgerEnd),
  openMover: ({ source, target, stateDirectory, operation }) =>
    openMoverProcess({
      source: clusterAccess(source),
      target: clusterAccess(target),
      version: source.version,
      stateDirectory,
      operation,
    }),
  lookAtLedger,
  readLedger,
  openTrail,
  openAdoptedLedger: (stateDirectory, topic, key) => new AdoptedLedger(stateDirectory, topic, key),
  placeAdoptedLedger,
  openAdoptionSide: (reach) => new ProofSide(reach),
  openProofSide: (reach) => new ProofSide(reach),
  holder: `${process.pid}-${randomUUID()}`,
};
