import type { NotifyConfig } from '../../core/fleet/config.ts';
import type { Notification } from '../../core/rollout/notification.ts';
import { slackLine } from './slack.ts';

/**
 * `delivered`: answered with 2xx. `again`: it may be taken later (no answer, 408, 429, 5xx), not before `afterMs`. `refused`:
 * it will not be taken. `why` never contains the address or what was answered: both may hold secrets.
 */
export type Outcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'again'; readonly why: string; readonly afterMs: number }
  | { readonly kind: 'refused'; readonly why: string };

/** One POST. Redirects are not followed: what is told here is meant for one place. Never throws. */
export async function post(endpoint: NotifyConfig, notification: Notification, signal: AbortSignal): Promise<Outcome> {
  const body = endpoint.kind === 'slack' ? { text: slackLine(notification, endpoint.emoji) } : notification;
  try {
    const { address, headers } = partsOf(endpoint.url);
    const response = await fetch(address, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'user-agent': 'drover' },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal,
    });
    // Whatever it says, only the status counts; a body without end must not hold the connection.
    await response.body?.cancel().catch(() => undefined);
    return outcomeOf(response.status, response.headers.get('retry-after'));
  } catch (error) {
    return { kind: 'again', why: signal.aborted ? 'no answer in time' : codeOf(error), afterMs: 0 };
  }
}

/** A name and password in the address become a header: fetch refuses them where they stand. */
function partsOf(text: string): { address: string; headers: Record<string, string> } {
  const url = new URL(text);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  if (username === '' && password === '') return { address: url.href, headers: {} };
  const pair = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  return { address: url.href, headers: { authorization: `Basic ${pair}` } };
}

function outcomeOf(status: number, retryAfter: string | null): Outcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  if (status === 408 || status === 429 || status >= 500) {
    return { kind: 'again', why: `it answered ${status}`, afterMs: secondsIn(retryAfter) * 1000 };
  }
  const redirects = status >= 300 && status < 400 ? ' (redirects are not followed)' : '';
  return { kind: 'refused', why: `it answered ${status}${redirects}` };
}

function secondsIn(retryAfter: string | null): number {
  return retryAfter !== null && /^\d{1,4}$/.test(retryAfter.trim()) ? Number(retryAfter) : 0;
}

/** The error's code only: messages of name resolution and TLS repeat the address. */
function codeOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code;
  }
  return 'the connection failed';
}
