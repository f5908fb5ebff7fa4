import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { NotFetched } from './debian.ts';
import { fetchJava } from './java.ts';
import { fetchMaven } from './maven.ts';

const run = promisify(execFile);

export const kafkaVersions = ['4.3.1', '3.9.2', '2.8.2'] as const;
export type KafkaVersion = (typeof kafkaVersions)[number];

export type Kafka = {
  readonly version: KafkaVersion;
  /** Path of a Java that runs it. */
  readonly java: string;
  /** Folder of the jars of brokers, tools, MirrorMaker and (2.8.2) ZooKeeper. */
  readonly jars: string;
};

const checkoutCache = join(import.meta.dirname, '..', '..', '.cache', 'kafka');

/** Written last, beside the jars: their names and sizes. */
const listing = 'jars.txt';

/**
 * A Kafka of this version in `.cache/kafka` of the checkout, fetched there by Maven with the settings of this machine unless it
 * is there whole. Two processes may do it at once. Rejects with NotFetched, also when `signal` ends it.
 */
export async function fetchKafka(
  version: KafkaVersion,
  say: (line: string) => void = console.error,
  signal: AbortSignal = new AbortController().signal,
  cache = checkoutCache,
): Promise<Kafka> {
  const java = await fetchJava(say, signal);
  const place = join(cache, version);
  const kafka: Kafka = { version, java, jars: join(place, 'jars') };
  if (await isWhole(place)) return kafka;
  const maven = await fetchMaven(await homeOf(java), say, signal);
  say(`fetching Kafka ${version} with Maven into ${place} (not installed)`);
  await mkdir(cache, { recursive: true });
  const stage = await mkdtemp(join(cache, `.${version}-`));
  try {
    await fillStage(stage, version, maven, java, signal);
    await moveIntoPlace(stage, place);
  } finally {
    await rm(stage, { recursive: true, force: true, maxRetries: 10 });
  }
  return kafka;
}

/** Every version, for the test command; the folder that has them. */
export async function fetchEveryKafka(say: (line: string) => void, signal: AbortSignal): Promise<string> {
  for (const version of kafkaVersions) await fetchKafka(version, say, signal);
  return checkoutCache;
}

async function isWhole(place: string): Promise<boolean> {
  try {
    return (await readFile(join(place, listing), 'utf8')) === (await listed(join(place, 'jars')));
  } catch {
    return false;
  }
}

async function listed(folder: string): Promise<string> {
  const names = (await readdir(folder)).sort();
  const lines = names.map(async (name) => `${name} ${(await stat(join(folder, name))).size}\n`);
  return (await Promise.all(lines)).join('');
}

/** Where a Java has its files, however it is started. */
async function homeOf(java: string): Promise<string> {
  const { stderr } = await run(java, ['-XshowSettings:properties', '-version']);
  const home = /^\s*java\.home = (.+)$/m.exec(stderr)?.[1];
  if (home === undefined) throw new NotFetched(`${java} does not tell where its files are (-XshowSettings:properties)`);
  return home;
}

async function fillStage(
  stage: string,
  version: KafkaVersion,
  maven: string,
  java: string,
  signal: AbortSignal,
): Promise<void> {
  const [project, repository, jars] = [join(stage, 'pom.xml'), join(stage, 'repository'), join(stage, 'jars')];
  await writeFile(project, projectOf(version));
  // A local repository of its own: Maven's is not made for several processes at once. Wrong checksums are errors.
  const where = [`-Dmaven.repo.local=${repository}`, '-DincludeScope=runtime', `-DoutputDirectory=${jars}`];
  const JAVA_HOME = await homeOf(java);
  await attempt('Maven', maven, ['-q', '-B', '-C', '-f', project, ...where, 'dependency:copy-dependencies'], signal, {
    JAVA_HOME,
  });
  const printed = await attempt('Java', java, ['-cp', join(jars, '*'), 'kafka.Kafka', '--version'], signal, {});
  if (!printed.includes(version))
    throw new NotFetched(`the fetched Kafka ${version} says that it is ${printed.trim()}`);
  await rm(repository, { recursive: true });
  await writeFile(join(stage, listing), await listed(jars));
}

async function attempt(
  name: string,
  program: string,
  args: readonly string[],
  signal: AbortSignal,
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const env = { ...process.env, ...environment };
  try {
    return (await run(program, [...args], { env, signal, timeout: 600_000, maxBuffer: 16 * 1024 * 1024 })).stdout;
  } catch (cause) {
    const told = [printedBy(cause, 'stdout'), printedBy(cause, 'stderr')].join('\n').split('\n');
    const line =
      told.find((one) => /ERROR|Error/.test(one)) ?? (cause instanceof Error ? cause.message : String(cause));
    throw new NotFetched(`${name}: ${line.replace(/^\[ERROR\] /, '').trim()}`, cause);
  }
}

function printedBy(cause: unknown, stream: 'stdout' | 'stderr'): string {
  return cause instanceof Error && stream in cause ? String(Object(cause)[stream]) : '';
}

/** Brokers, tools, MirrorMaker; Kafka 4 brings no output for its log, so a plain one is added. */
function projectOf(version: KafkaVersion): string {
  const kafka = ['kafka_2.13', 'kafka-tools', 'connect-mirror', 'connect-runtime'];
  const log = version.startsWith('4.') ? [dependency('org.slf4j', 'slf4j-simple', '1.7.36')] : [];
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0">',
    '<modelVersion>4.0.0</modelVersion><groupId>drover</groupId><artifactId>kafka</artifactId><version>1</version>',
    '<packaging>pom</packaging><dependencies>',
    ...kafka.map((artifact) => dependency('org.apache.kafka', artifact, version)),
    ...log,
    '</dependencies></project>',
    '',
  ].join('\n');
}

function dependency(group: string, artifact: string, version: string): string {
  return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
}

/** The folder appears whole. Whoever comes second keeps the first one's, unless that one is broken. */
async function moveIntoPlace(stage: string, place: string): Promise<void> {
  for (let attempts = 0; attempts < 2; attempts++) {
    try {
      await rename(stage, place);
      return;
    } catch (cause) {
      if (await isWhole(place)) return;
      if (attempts === 1) throw new NotFetched(`cannot write ${place}`, cause);
      await rm(place, { recursive: true, force: true });
    }
  }
}
