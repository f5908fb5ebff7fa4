import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fetchKafka } from '../../../scripts/fetch/kafka.ts';

/** A Java and a Maven that play the part of real ones: two "jars", and a line for each time that they were asked for. */
const java = `#!/bin/sh
case "$*" in
  *XshowSettings*) echo '    java.home = /nowhere' >&2 ;;
  *kafka.Kafka*) echo '2.8.2 (Commit:0)' ;;
  *) echo 'openjdk version "17.0.1"' >&2 ;;
esac
`;
const maven = `#!/bin/sh
[ "$1" = --version ] && exit 0
for word; do case "$word" in -DoutputDirectory=*) jars=\${word#*=} ;; -Dmaven.repo.local=*) mkdir "\${word#*=}" ;; esac; done
mkdir "$jars"
echo whole > "$jars/a.jar"
FAILS
echo whole > "$jars/b.jar"
`;

let folder = '';
let cache = '';
const path = process.env['PATH'] ?? '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-fetch-'));
  cache = join(folder, 'cache');
  await mkdir(join(folder, 'bin'));
  process.env['PATH'] = `${join(folder, 'bin')}${delimiter}${path}`;
  await program('java', java);
  await program('mvn', maven.replace('FAILS', ''));
});
afterEach(async () => {
  process.env['PATH'] = path;
  await rm(folder, { recursive: true, force: true });
});

test('what is there whole is not fetched again', async () => {
  const first = await fetched();
  expect(first.said).toHaveLength(1);
  expect(first.said[0]).toContain('fetching Kafka 2.8.2 with Maven');
  expect(await readdir(first.kafka.jars)).toEqual(['a.jar', 'b.jar']);
  expect((await fetched()).said).toEqual([]);
});

test('a download that breaks off leaves nothing, and says what Maven said', async () => {
  await program('mvn', maven.replace('FAILS', "echo '[ERROR] the line is cut'; exit 1"));
  await expect(fetched()).rejects.toThrow('Maven: the line is cut');
  expect(await readdir(cache)).toEqual([]);
});

test.each([
  ['a jar that was cut short', (jars: string) => truncate(join(jars, 'b.jar'), 2)],
  ['a jar that is missing', (jars: string) => rm(join(jars, 'a.jar'))],
])('%s is noticed, and everything is fetched again', async (_, damage) => {
  const { kafka } = await fetched();
  await damage(kafka.jars);
  expect((await fetched()).said).toHaveLength(1);
  expect((await fetched()).said).toEqual([]);
  expect(await readdir(cache)).toEqual(['2.8.2']);
});

test('jars of another version than the one asked for are refused', async () => {
  await program('java', java.replace("echo '2.8.2", "echo '2.7.0"));
  await expect(fetched()).rejects.toThrow('says that it is 2.7.0');
  expect(await readdir(cache)).toEqual([]);
});

test('two that fetch at once both have it whole', async () => {
  const both = await Promise.all([fetched(), fetched()]);
  for (const { kafka } of both) expect(await readdir(kafka.jars)).toEqual(['a.jar', 'b.jar']);
  expect(await readdir(cache)).toEqual(['2.8.2']);
});

async function fetched() {
  const said: string[] = [];
  const kafka = await fetchKafka('2.8.2', (line) => said.push(line), new AbortController().signal, cache);
  return { kafka, said };
}

function program(name: string, text: string): Promise<void> {
  return writeFile(join(folder, 'bin', name), text, { mode: 0o755 });
}
