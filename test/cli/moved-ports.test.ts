import { expect, test } from 'vitest';
import type { StartedHere } from '../../src/cli/context.ts';
import { movedPorts } from '../../src/cli/foreign-ports.ts';
import { parse } from '../config/files.ts';
import { contextInMemory } from '../made/context.ts';

const group = (environment: string, ports: number) =>
  `{ environment: ${environment}, size: 1..2, command: [run], ports: ${ports}, server: "${environment}-{index}", health: / }`;
const file = `version: 1
name: shop
environments: { classic: { provider: local }, vpc: { provider: local } }
balancers: { edge: { embedded: { listen: 127.0.0.1:24100 } } }
services:
  query:
    owner: team
    kind: stateless
    objective: { failures: 1% }
    traffic: { balancer: edge, backend: query, origin: "classic-*", destination: "vpc-*" }
    origin: ${group('classic', 24200)}
    destination: ${group('vpc', 24210)}
`;

/** What is told where these instances run, and these ports are served by Drover's own or by somebody else. */
async function told(running: readonly StartedHere[], own: readonly number[], foreign: readonly number[] = []) {
  const { context } = contextInMemory({
    world: {
      startedHere: () => Promise.resolve(running),
      portHolder: (port) =>
        own.includes(port) ? { pid: 11, isOwn: true } : foreign.includes(port) ? { pid: 9, isOwn: false } : null,
    },
  });
  const parsed = parse(file);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const service = parsed.config.services.query;
  if (service === undefined) throw new Error('no query');
  return movedPorts(context, service, '.drover');
}

const instance = (name: string, pid: number): StartedHere => ({
  ...{ kind: 'instance', of: name.slice(0, name.lastIndexOf('-')), name, pid },
});

test('instances that listen where drover.yaml has them are no news, nor are those of others', async () => {
  const running = [instance('query.origin-2', 11), instance('query.destination-1', 12), instance('store.origin-1', 13)];
  expect(await told(running, [24201, 24210])).toEqual([]);
});

test('one that was started with other ports is named, with the command that ends it', async () => {
  const found = await told([instance('query.origin-2', 11), instance('query.destination-1', 12)], [24210], [24201]);
  expect(found).toEqual([
    {
      what: expect.stringMatching(
        /^query\.origin-2 \(process 11\) runs, and nothing of Drover's listens on port 24201/,
      ),
      remedy: expect.stringContaining('`drover stop query`'),
    },
  ]);
});
