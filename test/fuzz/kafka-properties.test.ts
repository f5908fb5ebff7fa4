import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clientProperties } from '../../src/io/kafka/properties/client-properties.ts';
import { takenKeys } from '../../src/io/kafka/properties/known-keys.ts';
import { unreadable } from '../kafka/properties/taken.ts';
import { expectQuick, runs } from './runs.ts';

const module = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
const piece = fc.oneof(
  fc.constantFrom(...takenKeys, 'SASL_SSL', 'SSL', 'PLAIN', 'PEM', module, '-----BEGIN CERTIFICATE-----', 'username="'),
  fc.string({
    unit: fc.constantFrom('\\', '\n', '\r', '=', ':', ';', '"', "'", ' ', '#', '$', '{', 'u', '0', '\0'),
    maxLength: 8,
  }),
  fc.string({ unit: 'binary', maxLength: 8 }),
);

test('a file of clients is taken whole or told of by its lines, whatever is in it', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const text = pieces.join('');
      const result = clientProperties(text, unreadable);
      if (!('problems' in result)) return;
      expect(result.problems.length).toBeGreaterThan(0);
      const lines = text.split(/\r\n|\r|\n/).length;
      for (const { line } of result.problems) expect(line >= 1 && line <= lines).toBe(true);
    }),
    runs(2000),
  );
});

test.each([
  ['backslashes', '\\'.repeat(200_001)],
  ['a value of quotation marks', `sasl.jaas.config=${'"'.repeat(200_000)}`],
  ['words without an end', `security.protocol=SASL_SSL\nsasl.jaas.config=${module} ${'a'.repeat(300_000)}`],
  ['openings without an end', `ssl.key.password=${'${'.repeat(100_000)}`],
  ['openings of a provider without an end', `ssl.key.password=${'${a:'.repeat(50_000)}`],
  ['lines that go on', 'a\\\n'.repeat(50_000)],
  [
    'certificates without an end',
    `security.protocol=SSL\nssl.truststore.certificates=${'-----BEGIN CERTIFICATE-----'.repeat(10_000)}`,
  ],
  [
    'keys without an end',
    `security.protocol=SSL\nssl.keystore.certificate.chain=x\nssl.keystore.key=${'-----BEGIN PRIVATE KEY-----'.repeat(10_000)}`,
  ],
])('%s cost time in proportion', (_, text) => {
  expectQuick(() => clientProperties(text, unreadable));
});
