import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';

/** What was built: its version, and how often it fails on purpose, so that there is something to judge. */
export type Build = { readonly version: string; readonly failures: number };

export type Reply = {
  readonly status: number;
  readonly type: 'application/json' | 'text/html';
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
};
export type Handler = (request: IncomingMessage, body: string) => Promise<Reply>;

const bodyLengthMax = 64 * 1024;

/**
 * One instance of a service on the loopback interface. Its environment: `PORT`, `INSTANCE` (its name) and `BUILD` (a JSON
 * file). A planted failure is an answer of 500 before anything was done; it says so in a header. SIGTERM ends the instance
 * when its requests have been answered.
 */
export function serve(handler: Handler): void {
  const build = readBuild(setting('BUILD'));
  const instance = setting('INSTANCE');
  const server = createServer((request, response) => {
    const answer = async (): Promise<Reply> => {
      const path = request.url ?? '/';
      if (path === '/healthz') return json(200, { ok: true });
      if (path === '/version') return { ...json(200, {}), body: build.version };
      const body = await read(request);
      if (Math.random() < build.failures)
        return { ...json(500, { error: 'planted' }), headers: { 'x-planted': 'yes' } };
      return handler(request, body);
    };
    void answer()
      .catch((error: unknown) => json(500, { error: error instanceof Error ? error.message : String(error) }))
      .then(({ status, type, body, headers }) => {
        response.writeHead(status, { 'content-type': type, 'x-instance': instance, ...headers });
        response.end(body);
      });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(Number(setting('PORT')), '127.0.0.1', () => console.log(`${instance} (${build.version}) listens`));
  process.on('SIGTERM', () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}

export function json(status: number, value: unknown): Reply {
  return { status, type: 'application/json', body: `${JSON.stringify(value)}\n` };
}

export function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`the environment variable ${name} is missing`);
  return value;
}

function readBuild(file: string): Build {
  const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof value === 'object' && value !== null && 'version' in value && 'failures' in value) {
    const { version, failures } = value;
    if (typeof version === 'string' && typeof failures === 'number') return { version, failures };
  }
  throw new Error(`${file} is no build: it needs "version" and "failures"`);
}

async function read(request: IncomingMessage): Promise<string> {
  let body = '';
  request.setEncoding('utf8');
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > bodyLengthMax) throw new Error('the body is too long');
  }
  return body;
}
