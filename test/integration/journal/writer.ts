import { rmSync } from 'node:fs';
import { seal } from '../../../src/core/journal/chain.ts';
import { type EventBody, emptyHead, type Head } from '../../../src/core/journal/entry.ts';
import { type JournalStore, PortError } from '../../../src/engine/ports.ts';
import { sha256 } from '../../../src/io/journal/sha256.ts';
import { openSqliteJournal } from '../../../src/io/journal/sqlite.ts';

/**
 * A process that writes to a journal, for tests that do things to it. `writer.ts MODE PATH [NAME | BALLAST]`; what it prints
 * is one line each: `SEQ HASH` of every acknowledged append, or one JSON object about how it ended.
 */
const [, , mode = '', path = '', extra = ''] = process.argv;

// Only now, with everything loaded: somebody else may not be allowed to read the checkout.
const uid = process.env['WRITER_UID'];
if (uid !== undefined) {
  process.setgid?.(Number(uid));
  process.setuid?.(Number(uid));
}

try {
  const journal = await openSqliteJournal(path, { readOnly: mode === 'read' });
  await act(journal);
  await journal.close();
} catch (error) {
  if (!(error instanceof PortError)) throw error;
  print(JSON.stringify({ code: error.code, retriable: error.retriable, message: error.message }));
}

async function act(journal: JournalStore): Promise<void> {
  switch (mode) {
    case 'for-ever':
      for (;;) await appendGroup(journal, 'for ever');
    case 'twenty':
      for (let number = 0; number < 20; number += 1) await appendGroup(journal, `${extra} ${number}`);
      return;
    case 'once':
      await appendGroup(journal, 'once');
      return;
    case 'until-full':
      return await appendUntilFull(journal);
    case 'read':
      print(JSON.stringify({ heads: await journal.heads() }));
      return;
    default:
      throw new Error(`no such mode: ${mode}`);
  }
}

/** Three entries that belong together; tried again on the new head until they are written. */
async function appendGroup(journal: JournalStore, name: string): Promise<void> {
  for (;;) {
    const head = await headOf(journal);
    const sealed = seal(
      head,
      [1, 2, 3].map((part) => draft({ kind: 'part', part, name })),
      sha256,
    );
    if ((await journal.append(head, sealed.entries)) === 'conflict') continue;
    print(`${sealed.head.seq} ${sealed.head.hash}`);
    return;
  }
}

async function appendUntilFull(journal: JournalStore): Promise<void> {
  let failure: PortError | null = null;
  while (failure === null) {
    await appendGroup(journal, 'x'.repeat(5000)).catch((error: unknown) => {
      if (!(error instanceof PortError)) throw error;
      failure = error;
    });
  }
  const again = await appendGroup(journal, 'x'.repeat(5000)).catch((error: unknown) => error);
  if (!(again instanceof PortError)) throw new Error('a full disk became writable by itself');
  const full = await headOf(journal);
  rmSync(extra, { force: true });
  await appendGroup(journal, 'after').catch(() => undefined);
  const { code, retriable, message } = again;
  print(JSON.stringify({ code, retriable, message, full, after: await headOf(journal) }));
}

async function headOf(journal: JournalStore): Promise<Head> {
  return (await journal.heads()).find(({ operation }) => operation === 'op') ?? emptyHead('op');
}

function draft(body: EventBody & Readonly<Record<string, unknown>>) {
  return { body, actor: 'writer', atMs: Date.now(), rules: 1 };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
