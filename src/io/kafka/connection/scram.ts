import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/**
 * The client's side of SCRAM (RFC 5802, RFC 7677), without channel binding. Like Kafka's own client it takes user and password
 * as they are, without SASLprep.
 *
 *   client  n,,n=USER,r=NONCE
 *   server  r=NONCE+MORE,s=SALT,i=ITERATIONS
 *   client  c=biws,r=NONCE+MORE,p=PROOF
 *   server  v=SIGNATURE          or e=ERROR
 */
export type ScramHash = 'sha256' | 'sha512';

export class ScramExchange {
  readonly #hash: ScramHash;
  readonly #password: string;
  readonly #nonce: string;
  readonly #firstBare: string;
  #serverSignature: Buffer | null = null;

  /** The nonce is printable, without a comma, and never used again. */
  constructor(hash: ScramHash, username: string, password: string, nonce: string) {
    this.#hash = hash;
    this.#password = password;
    this.#nonce = nonce;
    this.#firstBare = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
  }

  first(): string {
    return `n,,${this.#firstBare}`;
  }

  /** Throws a ScramRefused where the server is not to be trusted with a proof. */
  async final(serverFirst: string): Promise<string> {
    const match = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9][0-9]{0,9})(?:,|$)/.exec(serverFirst);
    if (match === null) throw new ScramRefused('its first message is not r=…,s=…,i=…');
    const [, nonce = '', salt = '', iterationsText = ''] = match;
    const iterations = Number(iterationsText);
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length)
      throw new ScramRefused('its nonce does not continue ours');
    if (iterations < iterationsMin || iterations > iterationsMax)
      throw new ScramRefused(
        `it asks for ${iterations} iterations, where ${iterationsMin} to ${iterationsMax} are taken`,
      );
    const hash = this.#hash;
    const salted = await derive(this.#password, Buffer.from(salt, 'base64'), iterations, hashBytes[hash], hash);
    const clientKey = hmac(hash, salted, 'Client Key');
    const withoutProof = `c=biws,r=${nonce}`;
    const signed = `${this.#firstBare},${serverFirst},${withoutProof}`;
    const signature = hmac(hash, createHash(hash).update(clientKey).digest(), signed);
    this.#serverSignature = hmac(hash, hmac(hash, salted, 'Server Key'), signed);
    const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
    return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`;
  }

  /** The server has to know the password as well: throws a ScramRefused if it does not. */
  verify(serverFinal: string): void {
    const [, told = ''] = /^v=([A-Za-z0-9+/]+={0,2})(?:,|$)/.exec(serverFinal) ?? [];
    const signature = Buffer.from(told, 'base64');
    const expected = this.#serverSignature;
    if (expected === null || signature.length !== expected.length || !timingSafeEqual(signature, expected))
      throw new ScramRefused('it could not prove that it knows the password');
  }
}

export class ScramRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ScramRefused';
  }
}

const derive = promisify(pbkdf2);
const hashBytes: Readonly<Record<ScramHash, number>> = { sha256: 32, sha512: 64 };
/** Below it a password is easily guessed from what was overheard; Kafka itself asks for no less. */
const iterationsMin = 4096;
/** More would let a server keep this machine busy: Kafka has 16,384 at most. */
const iterationsMax = 1_000_000;

function hmac(hash: ScramHash, key: Buffer, text: string): Buffer {
  return createHmac(hash, key).update(text).digest();
}
