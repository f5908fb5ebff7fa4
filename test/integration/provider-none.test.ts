import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { BuildConfig } from '../../src/core/fleet/config.ts';
import { openUnprovidedGroup } from '../../src/io/provider/none.ts';
import { fixedGroupContract } from '../contract/group.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const soon = () => AbortSignal.timeout(30_000);
const http: BuildConfig = { kind: 'http', path: '/build' };

async function serve(status: number, body: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end(body));
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' ? `127.0.0.1:${address?.port}` : '';
}

function open(build: BuildConfig, addresses: readonly string[] = []) {
  return openUnprovidedGroup({
    name: 'query.classic',
    environment: 'classic',
    build,
    addresses: async () => addresses,
  });
}

describe('a group without a provider', () => {
  it('has no size, no instances, and the declared build', async () => {
    const reading = await open({ kind: 'declared', build: 'r41' }).read(soon());
    expect(reading).toEqual({ size: null, instances: [], build: { known: true, value: 'r41' } });
  });

  it('refuses to be resized and says what to do', async () => {
    const refused = open({ kind: 'declared', build: 'r41' }).resize({ desired: 2 }, soon());
    await expect(refused).rejects.toMatchObject({
      code: 'refused',
      retriable: false,
      message: expect.stringContaining('"classic"'),
    });
  });

  it('joins the builds that its servers tell, sorted and once each', async () => {
    const addresses = await Promise.all([serve(200, 'b2\n'), serve(200, 'b1'), serve(200, 'b2')]);
    expect((await open(http, addresses).read(soon())).build).toEqual({ known: true, value: 'b1 + b2' });
  });

  it.each([
    ['there are none', async () => []],
    ['one is gone', async () => [await serve(200, 'b1'), '127.0.0.1:1']],
    ['one answers with an error', async () => [await serve(200, 'b1'), await serve(404, 'b1')]],
    ['one answers with a page', async () => [await serve(200, '<html>\n</html>')]],
    ['one answers with nothing', async () => [await serve(200, '')]],
    ['one answers without end', async () => [await serve(200, 'b'.repeat(1_000_000))]],
  ])('does not know the build when %s', async (_, addresses) => {
    expect((await open(http, await addresses()).read(soon())).build.known).toBe(false);
  });
});

fixedGroupContract('provider none', async () => ({
  group: open({ kind: 'declared', build: 'r41' }),
  pass: async () => undefined,
  dispose: async () => undefined,
}));
