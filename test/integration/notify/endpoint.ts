import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Told = {
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly authorization: string | null;
  readonly body: unknown;
};

/** What it does with the n-th request (from 0): a status, `hang` (never answers), `cut` (closes the connection). */
export type Script = (n: number) => number | 'hang' | 'cut' | { readonly status: number; readonly headers: object };

export type Endpoint = {
  readonly url: string;
  readonly told: readonly Told[];
  close(): Promise<void>;
};

/** A real HTTP server on loopback that writes down what it is told. */
export async function openEndpoint(script: Script = () => 200): Promise<Endpoint> {
  const told: Told[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      told.push({
        method,
        path: url,
        type: headers['content-type'] ?? '',
        authorization: headers.authorization ?? null,
        body: text === '' ? null : JSON.parse(text),
      });
      answer(script(told.length - 1), response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook/T0KEN`,
    told,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(what: ReturnType<Script>, response: ServerResponse): void {
  if (what === 'hang') return;
  if (what === 'cut') response.destroy();
  else if (typeof what === 'number') response.writeHead(what).end('T0KEN is what it says');
  else response.writeHead(what.status, Object.fromEntries(Object.entries(what.headers))).end();
}
