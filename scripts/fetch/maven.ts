import { join } from 'node:path';
import { type DebianProgram, fetchProgram } from './debian.ts';

/** Path of a Maven that starts with the Java at `javaHome`, as fetchHaproxy has a HAProxy. Rejects with NotFetched. */
export function fetchMaven(javaHome: string, say: (line: string) => void, signal: AbortSignal): Promise<string> {
  const maven: DebianProgram = {
    package: 'maven',
    program: 'usr/share/maven/bin/mvn',
    inJava: true,
    probe: ['--version'],
    environment: { JAVA_HOME: javaHome },
    cache: join(import.meta.dirname, '..', '..', '.cache', 'maven'),
  };
  return fetchProgram(maven, say, signal);
}
