import { describe, expect, test } from 'vitest';
import { ScramExchange, type ScramHash, ScramRefused } from '../../../src/io/kafka/connection/scram.ts';

/** The example of RFC 7677, section 3. */
const sha256 = {
  nonce: 'rOprNGfwEbeRWgbNEkqO',
  serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  final: 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

function exchange(hash: ScramHash = 'sha256', username = 'user'): ScramExchange {
  return new ScramExchange(hash, username, 'pencil', sha256.nonce);
}

describe('SCRAM', () => {
  test('says what the standard says in its example', async () => {
    const client = exchange();
    expect(client.first()).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
    expect(await client.final(sha256.serverFirst)).toBe(sha256.final);
    client.verify(sha256.serverFinal);
  });

  test('escapes every comma and every equals sign of a user', () => {
    expect(exchange('sha512', 'a=b,c,=').first()).toBe('n,,n=a=3Db=2Cc=2C=3D,r=rOprNGfwEbeRWgbNEkqO');
  });

  test.each([
    ['a nonce of its own', sha256.serverFirst.replace('r=rO', 'r=XX'), 'continue'],
    ['our nonce and nothing more', `r=${sha256.nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`, 'continue'],
    ['too few iterations', sha256.serverFirst.replace('i=4096', 'i=4095'), '4095'],
    ['iterations without end', sha256.serverFirst.replace('i=4096', 'i=2000000000'), '2000000000'],
    ['an extension that must be understood', `m=x,${sha256.serverFirst}`, 'first message'],
    ['no salt', sha256.serverFirst.replace(/s=.*,/, 's=,'), 'first message'],
    ['an error', 'e=other-error', 'first message'],
    ['nothing', '', 'first message'],
  ])('gives no proof to a server that answers with %s', async (_what, serverFirst, words) => {
    const refused = exchange().final(serverFirst);
    await expect(refused).rejects.toThrow(ScramRefused);
    await expect(refused).rejects.toThrow(words);
  });

  test.each(['v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=', 'v=', 'v=AAAA', 'e=invalid-proof', ''])(
    'does not believe a server that ends with %j',
    async (serverFinal) => {
      const client = exchange();
      await client.final(sha256.serverFirst);
      expect(() => client.verify(serverFinal)).toThrow(ScramRefused);
    },
  );

  test('does not believe a server that ends before the proof', () => {
    expect(() => exchange().verify(sha256.serverFinal)).toThrow(ScramRefused);
  });
});
