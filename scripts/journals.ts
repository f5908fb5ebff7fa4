// node scripts/journals.ts (in npm exec): writes the state beside each journal of test/journals that has none yet.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { journalsFolder, readJournal, recordedJournals, replay } from '../test/journals/replay.ts';

for (const name of recordedJournals()) {
  const file = join(journalsFolder, `${name}.json`);
  // What is recorded is a promise: it is never written anew because the fold says something else today.
  if (existsSync(file)) continue;
  const { entries, findings } = readJournal(name);
  if (findings.length > 0) throw new Error(`${name}: ${findings.map(({ message }) => message).join('; ')}`);
  await writeFile(file, `${JSON.stringify(replay(entries), null, 2)}\n`);
  console.log(`${name}: ${entries.length} entries, state recorded`);
}
