import type { AdminState, BackendReading } from '../../../core/observed/backend.ts';
import { type Backend, PortError } from '../../../engine/ports.ts';
import { type ConfigurationReader, configurationReader } from './configuration-reader.ts';
import { proxyNumberIn, readCommands, readingOf } from './reading.ts';
import { expectBackend, isNoBackend, parseStat, type Row } from './replies.ts';
import { askRuntime, type Urgency } from './runtime-socket.ts';
import { attemptsIn } from './server-reading.ts';
import { refusal } from './socket-errors.ts';

export type HaproxyBackendOptions = {
  /** Path of a runtime UNIX socket, or `host:port`. */
  readonly socket: string;
  readonly backend: string;
  /** haproxy.cfg, for what the socket does not tell; null: those traits are unknown. */
  readonly configFile: string | null;
};

/**
 * One backend of one HAProxy process (2.6 or newer) over its runtime API: one short connection per call, nothing kept
 * but the numbers of the servers. Writing needs a socket of level admin, reading any. Readings of one process take turns at a
 * socket; what is written, and what that looks up, does not wait for them.
 *
 * A call that names a server which does not exist changes nothing. Otherwise every command of the call is tried, and the
 * error names one that HAProxy refused: what was done has to be read back.
 */
export class HaproxyBackend implements Backend {
  private readonly socket: string;
  private readonly backend: string;
  private readonly readFile: ConfigurationReader;
  /** HAProxy's own number of each server, by name, as last seen. */
  private serverIds: ReadonlyMap<string, number> = new Map();
  /** HAProxy's own number of the backend, as last seen. Until then its name, which a frontend may have as well. */
  private proxy: string;

  constructor({ socket, backend, configFile }: HaproxyBackendOptions) {
    this.socket = socket;
    this.backend = backend;
    this.proxy = backend;
    this.readFile = configurationReader(configFile, backend);
  }

  async read(signal: AbortSignal): Promise<BackendReading> {
    let answers = await this.ask(readCommands(this.backend, this.proxy), signal, 'reading');
    // At first, and after a reload that numbered the backends anew.
    if (this.learnProxy(answers[1] ?? ''))
      answers = await this.ask(readCommands(this.backend, this.proxy), signal, 'reading');
    const { reading, serverIds } = readingOf(this.socket, this.backend, answers, await this.readFile());
    this.serverIds = serverIds;
    return reading;
  }

  async attempts(servers: readonly string[], signal: AbortSignal): Promise<Readonly<Record<string, number>>> {
    if (servers.length === 0) return {};
    // One server is asked for by number: an answer of 2 kB, however large the backend is.
    const id = servers.length === 1 ? this.serverIds.get(servers[0] ?? '') : undefined;
    let counts = attemptsByName(await this.stat(id ?? -1, signal, 'poll'));
    // After a reload a number may be another server's.
    if (id !== undefined && !counts.has(servers[0] ?? '')) counts = attemptsByName(await this.stat(-1, signal, 'poll'));
    return Object.fromEntries(
      servers.map((name) => {
        const count = counts.get(name);
        if (count === undefined) throw this.noServer(name);
        return [name, count];
      }),
    );
  }

  async setWeights(weights: Readonly<Record<string, number>>, signal: AbortSignal): Promise<void> {
    const words = Object.entries(weights).map(
      ([name, weight]) => [name, `weight ${validWeight(name, weight)}`] as const,
    );
    await this.write(words, signal);
  }

  async setStates(states: Readonly<Record<string, AdminState>>, signal: AbortSignal): Promise<void> {
    const words = Object.entries(states).map(([name, state]) => [name, `state ${state}`] as const);
    await this.write(words, signal);
  }

  private async write(words: readonly (readonly [string, string])[], signal: AbortSignal): Promise<void> {
    if (words.length === 0) return;
    await this.expectServers(
      words.map(([name]) => name),
      signal,
    );
    const refusals: PortError[] = [];
    for (const batch of batches(words.map(([name, what]) => `set server ${this.backend}/${name} ${what}`))) {
      const answers = await this.ask(batch, signal, 'write');
      for (const [at, answer] of answers.entries()) {
        if (answer !== '') refusals.push(refusal(this.socket, batch[at] ?? '', answer));
      }
    }
    const [first, ...others] = refusals;
    if (first !== undefined) throw together([first, ...others], words.length);
  }

  private async expectServers(names: readonly string[], signal: AbortSignal): Promise<void> {
    if (names.every((name) => this.serverIds.has(name))) return;
    const rows = await this.stat(-1, signal, 'write');
    this.serverIds = new Map(rows.map((row) => [row.text('svname'), row.number('sid')]));
    const missing = names.find((name) => !this.serverIds.has(name));
    if (missing !== undefined) throw this.noServer(missing);
  }

  /** Rows of one server by its number, or of all with -1. */
  private async stat(id: number, signal: AbortSignal, urgency: Urgency): Promise<Row[]> {
    const known = this.proxy === this.backend ? null : await this.statByProxy(id, signal, urgency);
    if (known !== null) return known;
    const show = `show servers state ${this.backend}`;
    const [state = ''] = await this.ask([show], signal, urgency);
    expectBackend(this.socket, this.backend, show, state);
    this.learnProxy(state);
    return (await this.statByProxy(id, signal, urgency)) ?? [];
  }

  /** null: the number that was known is not, or no longer, this backend's. */
  private async statByProxy(id: number, signal: AbortSignal, urgency: Urgency): Promise<Row[] | null> {
    const command = `show stat ${this.proxy} 4 ${id}`;
    const [answer = ''] = await this.ask([command], signal, urgency);
    if (isNoBackend(answer)) return null;
    expectBackend(this.socket, this.backend, command, answer);
    const rows = parseStat(command, answer);
    return rows.every((row) => row.text('pxname') === this.backend) ? rows : null;
  }

  /** True: the backend has another number than was asked for. */
  private learnProxy(state: string): boolean {
    const before = this.proxy;
    this.proxy = proxyNumberIn(state) ?? before;
    return this.proxy !== before;
  }

  private ask(commands: readonly string[], signal: AbortSignal, urgency: Urgency): Promise<string[]> {
    // Anything else than a name could smuggle a second command into the line.
    if (!/^[A-Za-z0-9_.:-]+$/.test(this.backend)) {
      throw notFound(`no backend of HAProxy can be called ${JSON.stringify(this.backend)}`);
    }
    return askRuntime(this.socket, commands, signal, urgency);
  }

  private noServer(name: string): PortError {
    return notFound(`HAProxy at ${this.socket} has no server ${this.backend}/${name}`);
  }
}

function notFound(text: string): PortError {
  return new PortError('not-found', text, { retriable: false });
}

function attemptsByName(rows: readonly Row[]): Map<string, number> {
  return new Map(rows.map((row) => [row.text('svname'), attemptsIn(row)]));
}

function validWeight(name: string, weight: number): number {
  if (Number.isInteger(weight) && weight >= 0 && weight <= 256) return weight;
  const text = `weight ${weight} for the server ${name}: HAProxy takes whole numbers from 0 to 256`;
  throw new PortError('refused', text, { retriable: false });
}

/** HAProxy reads a line of commands into one buffer (`tune.bufsize`, 16 kB by default); these stay well below. */
const batchCharacterMax = 4000;

function batches(lines: readonly string[]): string[][] {
  const all: string[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    if (length + line.length > batchCharacterMax) {
      all.push([]);
      length = 0;
    }
    all.at(-1)?.push(line);
    length += line.length + 1;
  }
  return all;
}

function together(refusals: readonly [PortError, ...PortError[]], commands: number): PortError {
  const [first, ...others] = refusals;
  if (others.length === 0) return first;
  const text = `${first.message} (${refusals.length} of ${commands} commands were refused)`;
  return new PortError(first.code, text, { retriable: false, cause: new AggregateError(refusals) });
}
