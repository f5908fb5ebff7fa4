import { Agent, get } from 'node:http';
import { json, type Reply, serve, setting } from './service.ts';

/** `GET /`: a page with what the query service says. It names the instance that was asked, and what became of a failure. */
const query = setting('QUERY_URL');
// Idle connections are given up before the balancer does, so that none is used at the moment in which it is closed.
const agent = new Agent({ keepAlive: true, maxSockets: 200, timeout: 3000 });
const answerMsMax = 5000;

serve(async (request) => {
  if (request.url !== '/') return json(404, { error: 'GET /' });
  const answer = await ask(`${query}/dashboard`);
  const headers = { 'x-query-instance': answer.instance, ...(answer.planted ? { 'x-planted': 'yes' } : {}) };
  if (answer.status !== 200) return { ...json(502, { error: `query answered ${answer.status}` }), headers };
  return page(answer.body, headers);
});

type Answer = {
  readonly status: number;
  readonly body: string;
  readonly instance: string;
  readonly planted: boolean;
};

function ask(url: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = get(url, { agent, signal: AbortSignal.timeout(answerMsMax) }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body,
          instance: String(response.headers['x-instance'] ?? ''),
          planted: response.headers['x-planted'] !== undefined,
        }),
      );
      response.on('error', reject);
    });
    call.on('error', reject);
  });
}

function page(body: string, headers: Readonly<Record<string, string>>): Reply {
  const { events }: { events: number } = JSON.parse(body);
  const html = `<!doctype html><title>analytics</title><h1>${events} events</h1>\n`;
  return { status: 200, type: 'text/html', body: html, headers };
}
