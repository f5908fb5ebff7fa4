import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Desk, openDesk } from './copy-command.ts';
import { acls, guarded, topicAcls } from './lab/acls.ts';
import { type Cluster, startCluster } from './lab/cluster.ts';
import { digest, endOffset, produce } from './lab/kcat.ts';
import { createTopic } from './lab/tools.ts';

let source: Cluster;
let target: Cluster;
let desk: Desk;

beforeAll(async () => {
  [source, target] = await Promise.all([
    startCluster({ version: '4.3.1', brokers: 1, properties: guarded('4.3.1') }),
    startCluster({ version: '3.9.2', brokers: 1, properties: guarded('3.9.2') }),
  ]);
  desk = openDesk(source, target);
});
afterAll(async () => {
  await desk?.close();
  await Promise.all([source?.stop(), target?.stop()]);
});

/** Somebody's own, on the target: nobody here may touch it. */
const theirs = 'literal sold: User:bob may READ from *';

test('ACLs are shown, made where somebody agrees, and taken away by the way back with what they are about, but for those of others', async () => {
  await createTopic(source, 'sold');
  await give('sold');
  const add = (...words: readonly string[]) => acls(source, '--add', ...words);
  const read = ['--operation', 'Read'];
  await add('--allow-principal', 'User:alice', '--allow-host', '10.0.0.1', ...read, '--topic', 'sold');
  await add('--allow-principal', 'User:bob', ...read, '--topic', 'sold');
  await add('--deny-principal', 'User:mallory', '--operation', 'All', '--topic', 'sold');
  await add('--allow-principal', 'User:carol', ...read, '--topic', 'so', '--resource-pattern-type', 'prefixed');
  await add('--allow-principal', 'User:dave', ...read, '--topic', '*');
  await add('--allow-principal', 'User:erin', ...read, '--group', 'sold');
  await add('--deny-principal', 'User:*', '--operation', 'Delete', '--topic', 'sold');
  await acls(target, '--add', '--allow-principal', 'User:bob', ...read, '--topic', 'sold');
  await vi.waitFor(async () => expect(await topicAcls(target)).toEqual([theirs]), waiting);
  const shown = await desk.copy('sold').ended;
  expect(shown.code).toBe(2);
  const [made = '', ...left] = shown.text.split('ACLs that are not copied');
  for (const line of [
    'User:mallory may not do anything with sold',
    'User:alice from 10.0.0.1 may Read sold',
    'User:carol may Read every topic that begins with so',
  ])
    expect(made).toContain(line);
  expect(shown.text).not.toMatch(/bob|erin/);
  expect(left.join()).toContain("--allow-principal User:dave --operation Read --topic '*'");
  expect(left.join()).toContain("--deny-principal 'User:*' --operation Delete --topic sold");
  expect(await topicAcls(target)).toEqual([theirs]);
  const { code, errors } = await desk.copy('sold', '--yes').ended;
  expect(code).toBe(0);
  // What nobody was shown is told.
  expect(errors).toContain('User:dave');
  expect(await digest(target, 'sold', 0)).toEqual(await digest(source, 'sold', 0));
  expect(await topicAcls(target)).toEqual([
    'literal sold: User:alice may READ from 10.0.0.1',
    theirs,
    'literal sold: User:mallory may not ALL from *',
    'prefixed so: User:carol may READ from *',
  ]);
  const kinds = (await desk.journal('copy-1')).map(({ kind }) => kind);
  expect(kinds.slice(0, 4)).toEqual(['copy-started', 'acls-intended', 'acls-made', 'topic-made']);
  expect((await desk.drover('report', 'copy-1').ended).text).toContain('ACL: User:alice from 10.0.0.1 may Read sold');
  const back = await desk.drover('back', 'copy-1').ended;
  expect(back.text).toContain('ACLs that this copy had made on the target are gone');
  expect(back.code).toBe(0);
  await vi.waitFor(async () => expect(await topicAcls(target)).toEqual([theirs]), waiting);
});

test('of a copy whose controller was killed the doctor names them, and an abort takes them away', async () => {
  await createTopic(source, 'killed');
  await give('killed');
  await acls(source, '--add', '--allow-principal', 'User:alice', '--operation', 'Write', '--topic', 'killed');
  const ours = 'literal killed: User:alice may WRITE from *';
  const copy = desk.copy('killed', '--yes', '--follow');
  await vi.waitFor(async () => expect(await endOffset(target, 'killed', 0)).toBe(100), waiting);
  copy.child.kill('SIGKILL');
  await copy.ended;
  expect(await topicAcls(target)).toContain(ours);
  expect((await desk.drover('doctor').ended).text).toContain('User:alice may Write killed');
  const [operation = ''] = /copy-\d+/.exec(copy.text()) ?? [];
  const { code, text } = await desk.drover('abort', operation).ended;
  expect(text).toContain('ACLs that this copy had made on the target are gone');
  expect(code).toBe(0);
  await vi.waitFor(async () => expect(await topicAcls(target)).toEqual([theirs]), waiting);
  expect(await endOffset(target, 'killed', 0)).toBe(100);
});

test('with --no-acls none is made', async () => {
  await createTopic(source, 'alone');
  await give('alone');
  await acls(source, '--add', '--allow-principal', 'User:alice', '--operation', 'Read', '--topic', 'alone');
  expect((await desk.copy('alone', '--yes', '--no-acls').ended).code).toBe(0);
  expect(await topicAcls(target)).toEqual([theirs]);
});

const waiting = { timeout: 60_000, interval: 500 };

async function give(topic: string): Promise<void> {
  const records = Array.from({ length: 100 }, (_, index) => ({ key: null, value: `value ${index}` }));
  await produce(source, topic, records);
}
