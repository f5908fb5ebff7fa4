import { createServer } from 'node:http';
import { PortError } from '../../engine/ports.ts';

export type MetricsAddress = { readonly host: string; readonly port: number };

/** Answers GET /metrics with what `text` says then, and nothing else. Throws PortError where the address cannot be had. */
export async function serveMetrics(
  { host, port }: MetricsAddress,
  text: () => string,
): Promise<{ close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const isAsked = request.method === 'GET' && request.url?.split('?')[0] === '/metrics';
    response.writeHead(isAsked ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(isAsked ? text() : 'GET /metrics\n');
  });
  server.requestTimeout = requestMsMax;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new PortError('refused', `metrics cannot be served at ${host}:${port}: ${cause.message}`, {
          retriable: false,
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const requestMsMax = 5000;
