import { randomBytes } from 'node:crypto';
import { viewOf } from '../messages/byte-range.ts';
import { codeOf, errorName, noError } from '../messages/error-codes.ts';
import type { SaslAuthenticateResponse } from '../messages/sasl-authenticate.ts';
import type { SaslHandshakeResponse } from '../messages/sasl-handshake.ts';
import { ScramExchange, ScramRefused } from './scram.ts';

/** As in sasl.mechanism and sasl.jaas.config of Kafka's own clients. */
export type SaslCredentials = {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly username: string;
  readonly password: string;
};

export type SaslRequests = {
  readonly handshake: (mechanism: string) => Promise<SaslHandshakeResponse>;
  readonly authenticate: (authBytes: Uint8Array) => Promise<SaslAuthenticateResponse>;
};

/** Returns for how long it holds, in milliseconds; null: for as long as the connection. Throws a SaslRefused. */
export async function authenticate(credentials: SaslCredentials, requests: SaslRequests): Promise<number | null> {
  const { mechanism, username, password } = credentials;
  const { errorCode, mechanisms } = await requests.handshake(mechanism);
  if (errorCode === codeOf('UNSUPPORTED_SASL_MECHANISM'))
    throw new SaslRefused(`it does not take ${mechanism}, but ${mechanisms.join(', ') || 'none at all'}`);
  if (errorCode !== noError) throw new SaslRefused(`it answered ${errorName(errorCode)} to ${mechanism}`);
  if (mechanism === 'PLAIN') {
    const { sessionLifetimeMs } = await step(requests, `\0${username}\0${password}`);
    return lifetimeOf(sessionLifetimeMs);
  }
  const nonce = randomBytes(24).toString('base64url');
  const exchange = new ScramExchange(mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512', username, password, nonce);
  const first = await step(requests, exchange.first());
  try {
    const final = await step(requests, await exchange.final(textOf(first)));
    exchange.verify(textOf(final));
    return lifetimeOf(final.sessionLifetimeMs);
  } catch (error) {
    if (error instanceof ScramRefused) throw new SaslRefused(`${error.message} (${mechanism})`);
    throw error;
  }
}

/** The message continues a sentence about the broker, and has no secret in it. */
export class SaslRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SaslRefused';
  }
}

async function step(requests: SaslRequests, text: string): Promise<SaslAuthenticateResponse> {
  const response = await requests.authenticate(Buffer.from(text, 'utf8'));
  if (response.errorCode === noError) return response;
  const words = response.errorMessage === null ? '' : `: ${response.errorMessage}`;
  throw new SaslRefused(`it answered ${errorName(response.errorCode)}${words}`);
}

function textOf({ authBytes }: SaslAuthenticateResponse): string {
  return Buffer.from(viewOf(authBytes)).toString('utf8');
}

function lifetimeOf(ms: number): number | null {
  return ms > 0 ? ms : null;
}
