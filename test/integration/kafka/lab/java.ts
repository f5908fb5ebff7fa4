import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kafka } from '../../../../scripts/fetch/kafka.ts';
import type { Program } from './running.ts';

/** The Java, jars and settings that programs of one cluster are run with. */
export type JavaPlace = {
  readonly kafka: Kafka;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
};

const logSettings = 'log4j.properties';

/** Writes what Kafka before 4 reads about its log, once for each folder. */
export async function prepareJava({ folder }: JavaPlace): Promise<void> {
  await writeFile(
    join(folder, logSettings),
    [
      'log4j.rootLogger=WARN, out',
      'log4j.appender.out=org.apache.log4j.ConsoleAppender',
      'log4j.appender.out.target=System.err',
      'log4j.appender.out.layout=org.apache.log4j.PatternLayout',
      'log4j.appender.out.layout.ConversionPattern=%d{HH:mm:ss.SSS} %p %c: %m%n',
      '',
    ].join('\n'),
  );
}

/** Brokers and ZooKeeper: Java as it comes, with the logs of warnings and errors. */
export function server(place: JavaPlace, main: string, args: readonly string[], heapMib: number): Program {
  return program(place, main, args, [`-Xms${Math.min(heapMib, 128)}m`, `-Xmx${heapMib}m`]);
}

/** Tools that live for a second or a few: compiled little, and collected by one thread. */
export function tool(place: JavaPlace, main: string, args: readonly string[]): Program {
  return program(place, main, args, ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx256m']);
}

function program(
  { kafka, folder, environment }: JavaPlace,
  main: string,
  args: readonly string[],
  flags: readonly string[],
): Program {
  const log = kafka.version.startsWith('4.')
    ? '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'
    : `-Dlog4j.configuration=file:${join(folder, logSettings)}`;
  // Codecs unpack their libraries, and who is killed leaves them behind: they go with the folder.
  const traces = [`-Djava.io.tmpdir=${folder}`, '-XX:-UsePerfData'];
  return {
    name: main.split('.').at(-1) ?? main,
    path: kafka.java,
    args: [...flags, ...traces, log, '-cp', join(kafka.jars, '*'), main, ...args],
    environment,
  };
}
