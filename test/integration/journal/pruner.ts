import { seal } from '../../../src/core/journal/chain.ts';
import { emptyHead } from '../../../src/core/journal/entry.ts';
import { sampleHash } from '../../../src/core/journal/samples.ts';
import { sha256 } from '../../../src/io/journal/sha256.ts';
import { openSqliteJournal } from '../../../src/io/journal/sqlite.ts';

/** A controller to be killed: `pruner.ts PATH KEEP` stores blocks, refers to them, and prunes, until it is killed. */
const [, , path = '', keep = ''] = process.argv;
const journal = await openSqliteJournal(path, { readOnly: false });
let head = (await journal.heads()).find(({ operation }) => operation === 'op') ?? emptyHead('op');
for (;;) {
  const text = `${head.seq} `.repeat(5000);
  const block = `${head.seq + 1}`;
  const hash = sampleHash(text, sha256);
  await journal.samples.put('op', block, text);
  const body = { kind: 'checkpoint', samples: { block, hash } };
  const sealed = seal(head, [{ body, actor: 'drover', atMs: Date.now(), rules: 1 }], sha256);
  if ((await journal.append(head, sealed.entries)) === 'conflict') throw new Error('somebody else writes here');
  head = sealed.head;
  if (head.seq % 7 !== 0) continue;
  process.stdout.write('pruning\n');
  await journal.samples.prune('op', Number(keep));
}
