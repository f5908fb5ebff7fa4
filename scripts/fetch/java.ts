import { join } from 'node:path';
import { type DebianProgram, fetchProgram } from './debian.ts';

const java: DebianProgram = {
  package: 'openjdk-17-jre-headless',
  program: `usr/lib/jvm/java-17-openjdk-${process.arch === 'x64' ? 'amd64' : process.arch}/bin/java`,
  probe: ['-version'],
  // What Kafka 4 asks of brokers and tools.
  accepts: (printed) => Number(/version "(\d+)/.exec(printed)?.[1] ?? 0) >= 17,
  cache: join(import.meta.dirname, '..', '..', '.cache', 'java'),
};

/** Path of a Java of 17 or newer, as fetchHaproxy has a HAProxy. Rejects with NotFetched. */
export function fetchJava(
  say: (line: string) => void = console.error,
  signal: AbortSignal = new AbortController().signal,
): Promise<string> {
  return fetchProgram(java, say, signal);
}
