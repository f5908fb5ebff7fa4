import { describe, expect, test } from 'vitest';
import type { TopicAcl } from '../../src/core/move/acl-facts.ts';
import { aclCommands, entryCommand, isAllowed, quoted, rightsNeeded } from '../../src/core/move/rights.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { madeAcl } from '../made/acls.ts';

const reach = '--bootstrap-server new:9092 --command-config new.properties';

describe('rights of a copy', () => {
  test('are one command for topics that need the same, and one for the cluster', () => {
    const commands = aclCommands(
      rightsNeeded('target', { topics: ['orders', 'clicks'], growing: ['clicks'] }),
      "User:o'brien",
      reach,
    );
    const start = `kafka-acls ${reach} --add --allow-principal 'User:o'\\''brien'`;
    const [create, rest] = ['--operation Create --operation Write --operation Read', '--operation Delete'];
    expect(commands).toHaveLength(4);
    expect(commands[0]).toMatch(new RegExp(`${create} .* ${rest} --topic orders$`));
    expect(commands[1]).toMatch(new RegExp(`${create} .* --operation Alter ${rest} --topic clicks$`));
    expect(commands[2]).toBe(`${start} --operation Describe --operation DescribeConfigs --cluster`);
    expect(commands[3]).toBe(`${start} --operation Describe --group '*'`);
  });

  test('are there, are lacking, or nobody knows', () => {
    const [read, describeCluster] = [3, 8].map((bit) => 1 << bit);
    const allowed = {
      topics: { orders: known(read ?? 0), hidden: unknown('no answer') },
      cluster: known(describeCluster ?? 0),
      groups: known(true),
      transactionalIds: unknown('too old'),
    };
    const right = (operation: 'Read' | 'Write' | 'Describe' | 'Create', name: string | null) =>
      isAllowed(
        { operation, on: name === null ? { kind: 'cluster' } : { kind: 'topic', name }, without: null },
        allowed,
      );
    expect(isAllowed({ operation: 'Describe', on: { kind: 'groups' }, without: null }, allowed)).toEqual(known(true));
    expect(isAllowed({ operation: 'Describe', on: { kind: 'transactional-ids' }, without: null }, allowed)).toEqual(
      unknown('too old'),
    );
    expect(right('Read', 'orders')).toEqual(known(true));
    expect(right('Write', 'orders')).toEqual(known(false));
    expect(right('Describe', null)).toEqual(known(true));
    expect(right('Read', 'hidden')).toEqual(unknown('no answer'));
    expect(right('Write', 'new')).toEqual(unknown('the topic is not there yet'));
    expect(right('Create', 'orders')).toEqual(known(false));
    const everywhere = { ...allowed, cluster: known(1 << 5) };
    expect(isAllowed({ operation: 'Create', on: { kind: 'topic', name: 'new' }, without: null }, everywhere)).toEqual(
      known(true),
    );
  });

  test.each([
    ['orders', 'orders'],
    ['User:CN=a,O=b', 'User:CN=a,O=b'],
    ['*', "'*'"],
    ['a b$(x)', "'a b$(x)'"],
  ])('are quoted for a shell: %s', (text, word) => {
    expect(quoted(text)).toBe(word);
  });
});

describe('entries about the topics of a copy', () => {
  const entry = madeAcl();

  test('are made by a command each', () => {
    expect(entryCommand(entry, reach)).toBe(
      `kafka-acls ${reach} --add --allow-principal User:alice --operation Read --topic orders`,
    );
    const other: TopicAcl = {
      ...entry,
      name: '*',
      pattern: 'prefixed',
      host: '10.0.0.1',
      operation: 2,
      permission: 'deny',
    };
    expect(entryCommand(other, reach)).toBe(
      `kafka-acls ${reach} --add --deny-principal User:alice --deny-host 10.0.0.1 --operation All --topic '*' --resource-pattern-type prefixed`,
    );
  });
});
