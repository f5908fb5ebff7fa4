import { sha256 as real } from '../../../src/io/journal/sha256.ts';
import { sha256 as simulated } from '../../../src/sim/hash.ts';
import { testPlanted } from '../../contract/clauses.ts';
import { sha256Clauses, sha256Contract } from '../../contract/sha256.ts';

sha256Contract('real', real);
sha256Contract('simulated', simulated);

const clauses = sha256Clauses();
testPlanted('contract of SHA-256', clauses, { open: async () => real, close: async () => undefined }, [
  {
    wrong: 'a character is taken for a byte',
    clause: clauses.at(-1)?.name ?? '',
    plant: (sha256) => (text) => sha256(Buffer.from(text, 'utf8').toString('latin1')),
  },
]);
