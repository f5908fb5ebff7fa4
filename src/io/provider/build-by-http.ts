import type { Reading } from '../../core/observed/reading.ts';
import { httpGet } from './http-get.ts';

const timeoutMs = 2_000;
const buildLengthMax = 200;

/**
 * Asks every address (`host:port`) which build it runs: one line, answered with 200. The answers come in the order of the addresses.
 */
export function buildsByHttp(
  addresses: readonly string[],
  path: string,
  signal: AbortSignal,
): Promise<readonly Reading<string>[]> {
  return Promise.all(addresses.map((address) => askOne(address, path, signal)));
}

/**
 * The build of a group. Several builds are joined with ` + `, sorted. Unknown as soon as one of them does not say, because that one
 * may be another build.
 */
export function buildOfAll(answers: readonly Reading<string>[]): Reading<string> {
  if (answers.length === 0) return { known: false, why: 'no instance runs that could tell its build' };
  const silent = answers.find((answer) => !answer.known);
  if (silent !== undefined) return silent;
  return { known: true, value: joinBuilds(answers.flatMap((answer) => (answer.known ? [answer.value] : []))) };
}

function joinBuilds(builds: readonly string[]): string {
  return [...new Set(builds)].sort().join(' + ');
}

async function askOne(address: string, path: string, signal: AbortSignal): Promise<Reading<string>> {
  const url = `http://${address}${path}`;
  try {
    const { status, body } = await httpGet(url, timeoutMs, signal);
    if (status !== 200) return { known: false, why: `${url} answered with status ${status} instead of the build` };
    const build = body.trim();
    // A byte that is not UTF-8 comes as U+FFFD: two builds that differ in it would look alike.
    if (build !== '' && build.length <= buildLengthMax && !/[\p{C}\p{Zl}\p{Zp}\uFFFD]/u.test(build))
      return { known: true, value: build };
    return { known: false, why: `${url} did not answer with one line of text, of 1 to ${buildLengthMax} characters` };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { known: false, why: `${url}: ${error.message}` };
  }
}
