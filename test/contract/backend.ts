import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { BackendReading, ServerReading } from '../../src/core/observed/backend.ts';
import { type Backend, PortError, type PortErrorCode } from '../../src/engine/ports.ts';
import { type Bringing, collectClauses, testClauses, type Write } from './clauses.ts';

/** One backend of a running balancer, with at least three servers: all ready, healthy, answering, each of configured weight 100. */
export type BackendHarness = {
  readonly backend: Backend;
  readonly servers: readonly string[];
  /** Sends at least so many GETs through the balancer, waits for all of them, and tells what happened to them. */
  traffic(requests: number): Promise<Ledger>;
  /** Resolves when the next connection of the balancer to this server meets the new behaviour. */
  behave(server: string, behaviour: Behaviour): Promise<void>;
  /** The same configuration in a new process of the balancer; resolves when it carries traffic. */
  restart(): Promise<void>;
  /** Ends the balancer's process without a successor. */
  kill(): Promise<void>;
  /** Stops the balancer from doing anything until the returned function is called (SIGSTOP); null: this cannot be done here. */
  readonly freeze: (() => Promise<() => Promise<void>>) | null;
  /** A deadline in the time that the balancer lives in; without it, real time. */
  readonly signalAfter?: (ms: number) => AbortSignal;
  close(): Promise<void>;
};

/** `error`: answers 500. `refuse`: nothing listens. `close`: takes the request and closes the connection without an answer. */
export type Behaviour = 'answer' | 'error' | 'refuse' | 'close';

export type Ledger = {
  /** By server, from the server's own books: requests it answered below 500, and requests that it failed (not those refused). */
  readonly servers: Readonly<Record<string, { readonly answered: number; readonly failed: number }>>;
  /** What users saw: an answer below 500, or anything else. */
  readonly users: { readonly answered: number; readonly failed: number };
};

export type ContractOptions = {
  /** How far the share of a server may be from its weight's, over so many requests. */
  readonly shareTolerance?: number;
  readonly shareRequests?: number;
};

/** What every `Backend` must do, simulated or real. `open` is called once for each test and must not share state between them. */
export function backendContract(
  name: string,
  open: () => Promise<BackendHarness>,
  options: ContractOptions = {},
): void {
  testClauses(`contract of a backend: ${name}`, backendClauses(options), backendBringing(open));
}

export function backendBringing(open: () => Promise<BackendHarness>): Bringing<BackendHarness> {
  return {
    async open() {
      const harness = await open();
      await untilCarrying(harness);
      return harness;
    },
    close: (harness) => harness.close(),
  };
}

export function backendClauses({ shareTolerance = 0.02, shareRequests = 400 }: ContractOptions = {}) {
  const expectShares: ExpectShares = (harness, weights) =>
    sharesFollow(harness, weights, shareRequests, shareTolerance);
  return collectClauses<BackendHarness>(
    readingClauses,
    (write) => weightClauses(write, expectShares),
    (write) => stateClauses(write, expectShares),
    refusalClauses,
    counterClauses,
    processClauses,
  );
}

type ExpectShares = (harness: BackendHarness, weights: ReadonlyMap<string, number>) => Promise<void>;

function readingClauses(write: Write<BackendHarness>): void {
  write('a reading has every server once, whole, with its identity and configuration', async (harness) => {
    const { backend, servers } = harness;
    const reading = await backend.read(deadline());
    expect(reading.process).not.toBe('');
    expect(reading.servers.map((server) => server.name).sort()).toEqual([...servers].sort());
    for (const server of reading.servers) {
      expect(server).toMatchObject({ weight: 100, configuredWeight: 100, admin: 'ready' });
      expect(['up', 'unchecked']).toContain(server.health);
      if (server.configuredAdmin.known) expect(server.configuredAdmin.value).toBe('ready');
      for (const count of Object.values(server.counters)) expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
    }
    for (const trait of Object.values(reading.traits)) {
      if (!trait.known) expect(trait.why).not.toBe('');
    }
  });

  write('reading changes nothing: two readings without traffic are the same', async (harness) => {
    const { backend } = harness;
    const first = await settled(harness);
    expect(await backend.read(deadline())).toEqual(first);
  });

  write('attempts agrees with read, for the servers asked for and no others', async (harness) => {
    const { backend, servers, traffic } = harness;
    await traffic(60);
    const reading = await settled(harness);
    const asked = servers.slice(0, 2);
    const expected = Object.fromEntries(asked.map((name) => [name, serverOf(reading, name).counters.attempts]));
    expect(await backend.attempts(asked, deadline())).toEqual(expected);
    expect(await backend.attempts([], deadline())).toEqual({});
  });
}

function weightClauses(write: Write<BackendHarness>, expectShares: ExpectShares): void {
  write('weights take effect on real traffic, and servers that are not named keep theirs', async (harness) => {
    const { backend, servers } = harness;
    const [first, second, ...others] = atLeastThree(servers);
    await backend.setWeights({ [first]: 10, [second]: 40 }, deadline());
    const weights = new Map([[first, 10], [second, 40], ...others.map((name) => [name, 100] as const)]);
    const reading = await backend.read(deadline());
    for (const [name, weight] of weights) expect(serverOf(reading, name).weight).toBe(weight);
    await expectShares(harness, weights);
  });

  write(
    'weight 0 gets nothing from the next request on, and a weight written again brings it back',
    async (harness) => {
      const { backend, servers, traffic } = harness;
      const [first, ...others] = atLeastThree(servers);
      await traffic(30);
      await backend.setWeights({ [first]: 0 }, deadline());
      expect(answeredBy(await traffic(120), first)).toBe(0);
      expect(serverOf(await backend.read(deadline()), first)).toMatchObject({ weight: 0, admin: 'ready' });
      await backend.setWeights({ [first]: 256 }, deadline());
      await expectShares(harness, new Map([[first, 256], ...others.map((name) => [name, 100] as const)]));
    },
  );

  write('the configured weight does not follow the weight in force', async (harness) => {
    const { backend, servers } = harness;
    await backend.setWeights(Object.fromEntries(servers.map((name, index) => [name, index])), deadline());
    const reading = await backend.read(deadline());
    expect(reading.servers.map((server) => server.configuredWeight)).toEqual(servers.map(() => 100));
    expect(servers.map((name) => serverOf(reading, name).weight)).toEqual(servers.map((_, index) => index));
  });

  write('the same write twice is the same as once, and an empty write is none', async (harness) => {
    const { backend, servers } = harness;
    const [first] = atLeastThree(servers);
    await backend.setWeights({ [first]: 7 }, deadline());
    await backend.setStates({ [first]: 'maint' }, deadline());
    const once = await settled(harness);
    await backend.setWeights({ [first]: 7 }, deadline());
    await backend.setStates({ [first]: 'maint' }, deadline());
    await backend.setWeights({}, deadline());
    await backend.setStates({}, deadline());
    expect(stateOf(await settled(harness))).toEqual(stateOf(once));
  });
}

function stateClauses(write: Write<BackendHarness>, expectShares: ExpectShares): void {
  write(
    'maint gets nothing, even when a late weight is written afterwards; ready brings it back with that weight',
    async (harness) => {
      const { backend, servers, traffic } = harness;
      const [first, ...others] = atLeastThree(servers);
      await backend.setStates({ [first]: 'maint' }, deadline());
      await backend.setWeights({ [first]: 200 }, deadline());
      expect(serverOf(await backend.read(deadline()), first)).toMatchObject({ weight: 200, admin: 'maint' });
      expect(answeredBy(await traffic(120), first)).toBe(0);
      expect((await traffic(30)).users.failed).toBe(0);
      await backend.setStates({ [first]: 'ready' }, deadline());
      await untilCarrying(harness);
      expect(serverOf(await backend.read(deadline()), first)).toMatchObject({ weight: 200, admin: 'ready' });
      await expectShares(harness, new Map([[first, 200], ...others.map((name) => [name, 100] as const)]));
    },
  );

  write('drain gets nothing new, keeps its weight, and ready brings it back', async (harness) => {
    const { backend, servers, traffic } = harness;
    const [first, second] = atLeastThree(servers);
    await backend.setStates({ [first]: 'drain', [second]: 'drain' }, deadline());
    const reading = await backend.read(deadline());
    for (const name of [first, second]) expect(serverOf(reading, name)).toMatchObject({ weight: 100, admin: 'drain' });
    const ledger = await traffic(120);
    expect([answeredBy(ledger, first), answeredBy(ledger, second)]).toEqual([0, 0]);
    await backend.setStates({ [first]: 'ready', [second]: 'ready' }, deadline());
    await untilCarrying(harness);
    await expectShares(harness, new Map(servers.map((name) => [name, 100])));
  });

  write('maint over drain and back to ready leaves no drain behind', async (harness) => {
    const { backend, servers, traffic } = harness;
    const [first] = atLeastThree(servers);
    for (const state of ['drain', 'maint', 'drain', 'ready'] as const) {
      await backend.setStates({ [first]: state }, deadline());
      expect(serverOf(await backend.read(deadline()), first).admin).toBe(state);
    }
    await untilCarrying(harness);
    expect(answeredBy(await traffic(120), first)).toBeGreaterThan(0);
  });

  write('no server left: users are told by the balancer, and no server is blamed', async (harness) => {
    const { backend, servers, traffic } = harness;
    const before = await settled(harness);
    await backend.setStates(Object.fromEntries(servers.map((name) => [name, 'maint' as const])), deadline());
    const { users } = await traffic(10);
    expect(users.answered).toBe(0);
    expect(users.failed).toBeGreaterThanOrEqual(10);
    const after = await settled(harness);
    for (const name of servers) {
      expect(attemptsBetween(before, after, name)).toBe(0);
      expect(failuresBetween(before, after, name)).toBe(0);
    }
  });
}

function refusalClauses(write: Write<BackendHarness>): void {
  write('an unknown server is not-found, and nothing else was changed', async (harness) => {
    const { backend, servers } = harness;
    const [first] = atLeastThree(servers);
    const before = stateOf(await settled(harness));
    await expectPortError(backend.setWeights({ [first]: 1, nosuch: 1 }, deadline()), 'not-found');
    await expectPortError(backend.setStates({ [first]: 'maint', nosuch: 'maint' }, deadline()), 'not-found');
    await expectPortError(backend.attempts([first, 'nosuch'], deadline()), 'not-found');
    expect(stateOf(await settled(harness))).toEqual(before);
  });

  for (const weight of [-1, 257, 0.5, Number.NaN]) {
    write(`a weight of ${weight} is refused, and nothing was changed`, async (harness) => {
      const { backend, servers } = harness;
      const [first, second] = atLeastThree(servers);
      const before = stateOf(await settled(harness));
      await expectPortError(backend.setWeights({ [second]: 50, [first]: weight }, deadline()), 'refused');
      expect(stateOf(await settled(harness))).toEqual(before);
    });
  }

  write('an aborted signal is a timeout, at once, and nothing was changed', async (harness) => {
    const { backend, servers } = harness;
    const [first] = atLeastThree(servers);
    const before = stateOf(await settled(harness));
    for (const call of everyCall(backend, first)) {
      const startedAt = performance.now();
      await expectPortError(call(AbortSignal.abort()), 'timeout');
      expect(performance.now() - startedAt).toBeLessThan(2000);
    }
    expect(stateOf(await settled(harness))).toEqual(before);
  });

  write(
    'a balancer that hangs is a timeout when the signal says so, and is usable again when it goes on',
    async (harness, skip) => {
      const { backend, servers, freeze, signalAfter = (ms: number) => AbortSignal.timeout(ms) } = harness;
      if (freeze === null) return skip('this harness cannot freeze its balancer');
      const [first] = atLeastThree(servers);
      const thaw = await freeze();
      for (const call of everyCall(backend, first)) await expectPortError(call(signalAfter(100)), 'timeout');
      await thaw();
      await backend.setStates({ [first]: 'ready' }, deadline());
      await backend.setWeights({ [first]: 33 }, deadline());
      expect(serverOf(await backend.read(deadline()), first)).toMatchObject({ weight: 33, admin: 'ready' });
    },
  );
}

function counterClauses(write: Write<BackendHarness>): void {
  write('healthy traffic: as many attempts as answers, all of them 2xx, no failure', async (harness) => {
    const { servers, traffic } = harness;
    const before = await settled(harness);
    const ledger = await traffic(90);
    const after = await settled(harness);
    expect(ledger.users.failed).toBe(0);
    expect(ledger.users.answered).toBeGreaterThanOrEqual(90);
    for (const name of servers) {
      expect(attemptsBetween(before, after, name)).toBe(answeredBy(ledger, name));
      expect(failuresBetween(before, after, name)).toBe(0);
      const [was, is] = [serverOf(before, name).counters, serverOf(after, name).counters];
      expect(is.rsp2xx - was.rsp2xx).toBe(answeredBy(ledger, name));
    }
  });

  write(
    'a server that answers 500: every one is a failure of that server, by status, and of no other',
    async (harness) => {
      const { servers, traffic, behave } = harness;
      const [first, ...others] = atLeastThree(servers);
      const before = await settled(harness);
      await behave(first, 'error');
      const ledger = await traffic(90);
      const after = await settled(harness);
      const failed = ledger.servers[first]?.failed ?? 0;
      expect(failed).toBeGreaterThan(0);
      expect(failuresBetween(before, after, first)).toBe(failed);
      expect(attemptsBetween(before, after, first)).toBe(failed);
      expect(serverOf(after, first).counters.rsp5xx - serverOf(before, first).counters.rsp5xx).toBe(failed);
      for (const name of others) expect(failuresBetween(before, after, name)).toBe(0);
    },
  );

  for (const behaviour of ['refuse', 'close'] as const) {
    write(
      `a server that does ${behaviour}: every attempt is its failure, hidden by retries or not`,
      async (harness) => {
        const { servers, traffic, behave } = harness;
        const [first, ...others] = atLeastThree(servers);
        const before = await settled(harness);
        await behave(first, behaviour);
        const ledger = await traffic(90);
        const after = await settled(harness);
        const attempts = attemptsBetween(before, after, first);
        expect(attempts).toBeGreaterThan(0);
        expect(failuresBetween(before, after, first)).toBe(attempts);
        expect(answeredBy(ledger, first)).toBe(0);
        for (const name of others) {
          expect(failuresBetween(before, after, name)).toBe(0);
          expect(attemptsBetween(before, after, name)).toBe(answeredBy(ledger, name));
        }
      },
    );
  }
}

function processClauses(write: Write<BackendHarness>): void {
  write(
    'a restart of the balancer is a new process with new counters and the configured weights and states',
    async (harness) => {
      const { backend, servers, traffic, restart } = harness;
      const [first, second] = atLeastThree(servers);
      await traffic(30);
      await backend.setWeights({ [first]: 3 }, deadline());
      await backend.setStates({ [second]: 'maint' }, deadline());
      const before = await settled(harness);
      await restart();
      await untilCarrying(harness);
      const after = await settled(harness);
      expect(after.process).not.toBe(before.process);
      expect((await backend.read(deadline())).process).toBe(after.process);
      for (const name of servers) {
        expect(serverOf(after, name)).toMatchObject({ weight: 100, admin: 'ready' });
        expect(serverOf(after, name).counters.attempts).toBeLessThan(30);
      }
    },
  );

  write('what a reading calls configured is what a restart brings back', async (harness) => {
    const { backend, servers, restart } = harness;
    const [first, second, third] = atLeastThree(servers);
    await backend.setWeights({ [first]: 3 }, deadline());
    await backend.setStates({ [second]: 'drain', [third]: 'maint' }, deadline());
    const before = await settled(harness);
    await restart();
    await untilCarrying(harness);
    const after = await settled(harness);
    for (const { name, configuredWeight, configuredAdmin } of before.servers) {
      expect(serverOf(after, name)).toMatchObject({ weight: configuredWeight, configuredWeight, configuredAdmin });
      if (configuredAdmin.known) expect(serverOf(after, name).admin).toBe(configuredAdmin.value);
    }
  });

  write('traffic, weights and states do not change the identity of the process', async (harness) => {
    const { backend, servers, traffic } = harness;
    const [first] = atLeastThree(servers);
    const before = await backend.read(deadline());
    await traffic(10);
    await backend.setWeights({ [first]: 3 }, deadline());
    await backend.setStates({ [first]: 'maint' }, deadline());
    expect((await backend.read(deadline())).process).toBe(before.process);
  });

  write('a balancer that is gone is unreachable', async (harness) => {
    const { backend, servers, kill } = harness;
    const [first] = atLeastThree(servers);
    await kill();
    for (const call of everyCall(backend, first)) await expectPortError(call(deadline()), 'unreachable');
  });
}

/** Longer than any of these calls takes on a busy machine. */
function deadline(): AbortSignal {
  return AbortSignal.timeout(20_000);
}

function everyCall(backend: Backend, server: string): ((signal: AbortSignal) => Promise<unknown>)[] {
  return [
    (signal) => backend.read(signal),
    (signal) => backend.attempts([server], signal),
    (signal) => backend.setWeights({ [server]: 1 }, signal),
    (signal) => backend.setStates({ [server]: 'maint' }, signal),
  ];
}

async function expectPortError(call: Promise<unknown>, code: PortErrorCode): Promise<void> {
  const outcome = await call.then(
    () => 'no error',
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(PortError);
  if (outcome instanceof PortError) expect(`${outcome.code}: ${outcome.message}`).toContain(`${code}: `);
}

async function sharesFollow(
  harness: BackendHarness,
  weights: ReadonlyMap<string, number>,
  requests: number,
  tolerance: number,
): Promise<void> {
  const before = await settled(harness);
  const ledger = await harness.traffic(requests);
  const after = await settled(harness);
  expect(ledger.users.failed).toBe(0);
  expect(ledger.users.answered).toBeGreaterThanOrEqual(requests);
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  for (const [name, weight] of weights) {
    const share = answeredBy(ledger, name) / ledger.users.answered;
    expect(Math.abs(share - weight / total)).toBeLessThanOrEqual(tolerance);
    expect(attemptsBetween(before, after, name)).toBe(answeredBy(ledger, name));
  }
}

/** Streams end a moment after the user has the answer: a reading in which none is open. */
async function settled({ backend }: BackendHarness): Promise<BackendReading> {
  return until(
    () => backend.read(deadline()),
    (reading) => reading.servers.every((server) => server.counters.scur === 0),
    'open streams to end',
  );
}

async function untilCarrying({ backend }: BackendHarness): Promise<void> {
  await until(
    () => backend.read(deadline()),
    (reading) => reading.servers.every((server) => server.health === 'up' || server.health === 'unchecked'),
    'every server to be up',
  );
}

async function until<T>(look: () => Promise<T>, accept: (seen: T) => boolean, what: string): Promise<T> {
  const endsAt = performance.now() + 20_000;
  for (;;) {
    const seen = await look();
    if (accept(seen)) return seen;
    if (performance.now() > endsAt) throw new Error(`waited 20 s for ${what}; last seen: ${JSON.stringify(seen)}`);
    await sleep(5);
  }
}

function atLeastThree(servers: readonly string[]): readonly [string, string, string, ...string[]] {
  const [first, second, third, ...others] = servers;
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('a harness has three servers');
  return [first, second, third, ...others];
}

function serverOf(reading: BackendReading, name: string): ServerReading {
  const server = reading.servers.find((candidate) => candidate.name === name);
  if (server === undefined) throw new Error(`no server ${name} in the reading`);
  return server;
}

function stateOf(reading: BackendReading): unknown {
  return reading.servers.map(({ name, weight, admin }) => ({ name, weight, admin }));
}

function answeredBy(ledger: Ledger, name: string): number {
  return ledger.servers[name]?.answered ?? 0;
}

function attemptsBetween(before: BackendReading, after: BackendReading, name: string): number {
  return serverOf(after, name).counters.attempts - serverOf(before, name).counters.attempts;
}

/** Attempts that did not end in an answer below 500, between two readings without open streams. */
function failuresBetween(before: BackendReading, after: BackendReading, name: string): number {
  return notAnswered(serverOf(after, name)) - notAnswered(serverOf(before, name));
}

function notAnswered({ counters }: ServerReading): number {
  return counters.attempts - counters.rsp2xx - counters.rsp3xx - counters.rsp4xx + counters.srvAbrt;
}
