import { type Command, InvalidArgumentError } from 'commander';
import { CliError, type Context, type Journal } from './context.ts';
import { exportJournal } from './journal/export.ts';
import { journalOption, readJournal } from './journal/open.ts';
import { type JournalPlace, journalPath } from './journal/path.ts';
import { follow, show } from './journal/show.ts';
import { describe, verifyFile, verifyStore } from './journal/verify.ts';
import { configOption } from './load-config.ts';
import { untilInterrupted } from './terminal/interruption.ts';

/** `drover journal`: shows, follows, exports and verifies. Exit 0 ok, 1 error, 2 `verify` found something. */
export function addJournal(program: Command, context: Context): void {
  const verb = withPlace(program.command('journal'))
    .description('show, follow, export and verify what was intended, seen and done')
    .argument('[operation]', 'only this one (default: all, by time)')
    .option('--follow', 'go on with what is appended, until Ctrl-C')
    .option('--since <seq>', 'only entries after this number; needs an operation', sequenceNumber)
    .option('--json', 'one entry a line, as in an export (docs/reference/journal.md)')
    .addHelpText('after', examples)
    .action(async (operation: string | undefined, options: ShowOptions) => {
      await showVerb(context, operation ?? null, options);
    });
  withPlace(verb.command('export'))
    .description('write the whole journal, one entry a line (RFC 8785 JSON)')
    .argument('<file>', 'the file, or - for standard output')
    .option('--force', 'write over a file that is there')
    .option('--json', 'one object with the heads (docs/reference/journal.md)')
    .addHelpText(
      'after',
      '\nExit status: 0 written, 1 not.\n\nExamples:\n  drover journal export journal.ndjson\n  drover journal export - | gzip > journal.gz\n',
    )
    .action(async (file: string, _options: JournalPlace, command: Command) => {
      const options: ExportOptions = command.optsWithGlobals();
      await withJournal(context, options, async (journal) => {
        const { json = false, force = false } = options;
        await exportJournal(context, journal, { file, journalFile: journalPath(context, options), json, force });
      });
    });
  withPlace(verb.command('verify'))
    .description('name every entry that was edited, removed, inserted or moved (exit 2: something was found)')
    .option('--head <hash>', 'a head that was kept elsewhere must still be there (may be given again)', keptHead)
    .option('--file <export>', 'verify an export instead of the journal')
    .option('--json', 'one object with what was found (docs/reference/journal.md)')
    .addHelpText(
      'after',
      '\nExit status: 0 nothing, 2 something was found, 1 an error.\n\nExamples:\n  drover journal verify --head 3f9a2c417be80d56\n  drover journal verify --file journal.ndjson\n',
    )
    .action(async (_options: unknown, command: Command) => {
      await verifyVerb(context, command.optsWithGlobals());
    });
}

type ShowOptions = JournalPlace & { readonly follow?: true; readonly since?: number; readonly json?: true };
type ExportOptions = JournalPlace & { readonly json?: true; readonly force?: true };
type VerifyOptions = JournalPlace & { readonly head?: readonly string[]; readonly file?: string; readonly json?: true };

const examples = `
Exit status: 0 ok, 1 an error, 2 verify found something.

Examples:
  drover journal                                 everything, oldest first
  drover journal rollout-query-1 --since 40      one operation, from entry 41
  drover journal --follow                        live
  drover journal --json | jq .body.kind          for programs
  drover journal export journal.ndjson           to keep; prints the heads
  drover journal verify --head 3f9a…             was anything changed, or cut off at the end?
  drover journal verify --file journal.ndjson    the same for an export

A journal that is verified without --head may have lost its end, or have been written anew as a whole, unseen.
`;

function withPlace(command: Command): Command {
  return command.option(...journalOption).option(...configOption);
}

function sequenceNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('a sequence number is expected: 0, 1, 2 …');
  return Number(text);
}

/** 16 digits are as many as nobody can imitate by trying; fewer could be met by a forged entry. */
function keptHead(text: string, earlier: readonly string[] = []): readonly string[] {
  const head = text.replace(/…$/, '').toLowerCase();
  if (!/^[0-9a-f]{16,64}$/.test(head)) throw new InvalidArgumentError('16 to 64 hexadecimal digits are expected.');
  return [...earlier, head];
}

async function showVerb(context: Context, operation: string | null, options: ShowOptions): Promise<void> {
  if (options.since !== undefined && operation === null) {
    throw new CliError(
      '--since needs an operation',
      'each operation has its own numbers: drover journal OPERATION --since SEQ',
    );
  }
  const selection = { operation, afterSeq: options.since ?? 0 };
  const json = options.json ?? false;
  await withJournal(context, options, async (journal) => {
    if (options.follow !== true) return await show(context, journal, selection, json);
    const { signal, release } = untilInterrupted();
    await follow(context, journal, selection, json, signal).finally(release);
  });
}

async function verifyVerb(context: Context, options: VerifyOptions): Promise<void> {
  const { file, head = [] } = options;
  if (file !== undefined && options.journal !== undefined) {
    throw new CliError('--file and --journal name two things to verify', 'give one of them');
  }
  const verification =
    file === undefined
      ? await withJournal(context, options, async (journal) => await verifyStore(journal, head, context.world.sha256))
      : await verifyFile(context, file, head);
  context.stdout.write(
    options.json === true ? `${JSON.stringify(verification)}\n` : describe(verification, head.length > 0),
  );
  if (verification.findings.length > 0) context.setExitCode(2);
}

async function withJournal<T>(
  context: Context,
  place: JournalPlace,
  action: (journal: Journal) => Promise<T>,
): Promise<T> {
  const journal = await readJournal(context, place);
  try {
    return await action(journal);
  } finally {
    await journal.close();
  }
}
