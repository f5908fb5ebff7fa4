import { get } from 'node:http';

export type HttpAnswer = { readonly status: number /** At most the first 16 KiB. */; readonly body: string };

const bodyBytesMax = 16_384;

/**
 * One GET on a connection of its own, so that no kept-alive connection holds up a service that stops. Redirects are not
 * followed. Rejects with a short reason (`connection refused`, `no answer within 500 ms`).
 */
export function httpGet(url: string, timeoutMs: number, signal: AbortSignal | null = null): Promise<HttpAnswer> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const either = signal === null ? deadline : AbortSignal.any([deadline, signal]);
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(new Error(describe(error, deadline.aborted, timeoutMs), { cause: error }));
    const request = get(url, { agent: false, signal: either, headers: { connection: 'close' } }, (response) => {
      let body = '';
      const answer = () => {
        resolve({ status: response.statusCode ?? 0, body });
        response.destroy();
      };
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body = (body + chunk).slice(0, bodyBytesMax);
        if (body.length === bodyBytesMax) answer();
      });
      response.on('end', answer);
      response.on('error', fail);
    });
    request.on('error', fail);
  });
}

function describe(error: Error, timedOut: boolean, timeoutMs: number): string {
  if (timedOut) return `no answer within ${timeoutMs} ms`;
  const code = 'code' in error ? error.code : null;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ECONNRESET') return 'connection closed without an answer';
  return error.message;
}
