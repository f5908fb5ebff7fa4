import type { BackendTraits } from '../../../core/observed/backend.ts';
import { known, type Reading, unknown } from '../../../core/observed/reading.ts';
import { type BackendConfiguration, durationMs } from './configuration-file.ts';
import type { FileFacts } from './configuration-reader.ts';
import { excerpt } from './socket-errors.ts';

/** What the runtime socket tells of a backend; null: it does not, at this socket's level. */
export type RuntimeTraits = {
  readonly mode: string;
  readonly algorithm: string | null;
  readonly cookie: string | null;
  /** Names of the stick tables of the whole process; null: not read. */
  readonly stickTables: readonly string[] | null;
};

/** The running process wins over the file, which may have been edited since; the file tells what the socket does not. */
export function traitsOf(backend: string, runtime: RuntimeTraits, file: FileFacts): Omit<BackendTraits, 'readOnly'> {
  const facts = 'facts' in file ? file.facts : null;
  const fromFile = <T>(pick: (facts: BackendConfiguration) => Reading<T>): Reading<T> =>
    'facts' in file ? pick(file.facts) : file;
  const algorithm = algorithmOf(runtime, facts);
  return {
    mode: modeOf(runtime.mode),
    algorithm,
    stickiness: stickinessOf(backend, runtime, facts, algorithm, file),
    retryOn: fromFile(retryOnOf),
    abortOnClose: fromFile(({ abortOnClose }) => known(abortOnClose)),
    redispatch: fromFile(({ redispatch }) => known(redispatch)),
    bypasses: fromFile(({ bypasses }) => known(bypasses)),
    attemptMsMax: fromFile(attemptMsMax),
  };
}

function modeOf(mode: string): Reading<'http' | 'tcp'> {
  if (mode === 'http' || mode === 'tcp') return known(mode);
  return unknown(`HAProxy says mode ${JSON.stringify(mode)}`);
}

function algorithmOf(runtime: RuntimeTraits, facts: BackendConfiguration | null): Reading<string> {
  if (runtime.algorithm !== null && runtime.algorithm !== 'unknown') return known(runtime.algorithm);
  if (facts !== null && facts.algorithm !== null) return known(facts.algorithm);
  return unknown(
    runtime.algorithm === null
      ? 'the socket does not show it at this level: `level operator` or `level admin` does'
      : 'HAProxy shows it as "unknown", as 2.6 does for `balance random`; haproxy.cfg tells',
  );
}

function stickinessOf(
  backend: string,
  runtime: RuntimeTraits,
  facts: BackendConfiguration | null,
  algorithm: Reading<string>,
  file: FileFacts,
): Reading<string | null> {
  if (runtime.cookie !== null && runtime.cookie !== '') return known('cookie');
  if (facts?.cookie === true) return known('cookie');
  if (facts?.stickRules === true) return known('stick-table');
  if (algorithm.known && hashes.has(algorithm.value)) return known('hash');
  if (facts !== null) return known(null);
  const why = 'facts' in file ? '' : file.why;
  if (runtime.algorithm === null) return unknown(`cookies do not show at this socket's level, and ${why}`);
  if (!algorithm.known) return algorithm;
  if (runtime.stickTables === null) return unknown(`stick tables were not read, and ${why}`);
  // Rules may store into the table of another backend, so that only the absence of all tables excludes them.
  if (runtime.stickTables.length === 0) return known(null);
  return unknown(
    `whether ${backend} uses one of the stick tables (${runtime.stickTables.join(', ')}) does not show, and ${why}`,
  );
}

/** The value of an environment variable is the balancer's: what it hides does not show. */
function retryOnOf({ retryOn }: BackendConfiguration): Reading<readonly string[]> {
  if (retryOn?.some((word) => word.includes('$')))
    return unknown(`haproxy.cfg says \`retry-on ${excerpt(retryOn.join(' '))}\`, and its variables are the balancer's`);
  return known(retryOn ?? ['conn-failure']);
}

const hashes = new Set(['source', 'uri', 'url_param', 'hdr', 'rdp-cookie', 'hash']);

function attemptMsMax({ connectTimeout, serverTimeout }: BackendConfiguration): Reading<number> {
  if (connectTimeout === null || serverTimeout === null) {
    const missing = connectTimeout === null ? 'timeout connect' : 'timeout server';
    return unknown(`haproxy.cfg has no \`${missing}\` for this backend: an attempt can last for ever`);
  }
  const connect = durationMs(connectTimeout);
  const server = durationMs(serverTimeout);
  if (connect === null || server === null)
    return unknown(`cannot read the time-outs ${connectTimeout} and ${serverTimeout}`);
  return known(connect + server);
}
