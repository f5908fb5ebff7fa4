import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { catchSignals } from '../controller/signals.ts';
import { journalOption } from '../journal/open.ts';
import { type CopyWords, usualDiskFloor } from './copy/options.ts';
import { copy } from './copy/run.ts';
import { withReachRemedy } from './reach-remedy.ts';

/** `drover kafka copy`: topics of one cluster to another, byte for byte. */
export function addCopy(kafka: Command, context: Context): void {
  const description = 'copy topics from one cluster to another, byte for byte, each record exactly once';
  withOptions(kafka.command('copy').description(description))
    .addHelpText('after', examples)
    .action(async (words: CopyWords) => {
      const signals = catchSignals();
      try {
        await withReachRemedy(() => copy(context, words, signals));
      } finally {
        signals.release();
      }
    });
}

function withOptions(command: Command): Command {
  return command
    .requiredOption('--source <BOOTSTRAP>', 'HOST:PORT of some brokers, with commas')
    .requiredOption('--target <BOOTSTRAP>', 'the same of the other cluster')
    .requiredOption('--topics <REGEX>', 'topics whose whole name fits; never __*')
    .option('--exclude <REGEX>', 'but not these')
    .option('--source-config <FILE>', "what Kafka's tools take as --command-config: TLS, SASL")
    .option('--target-config <FILE>', 'the same for the target')
    .option('--from <BEGINNING>', 'earliest, latest, a time (2026-03-01T12:00:00Z), or how long ago (-72h)', 'earliest')
    .option('--follow', 'go on with what is produced, until it is asked to end')
    .option('--max-rate <RATE>', 'for each broker of the target, such as 60MB/s; may be changed while it runs')
    .option('--unlimited', 'as fast as they take it; outside loopback one of both has to be said')
    .option('--replication-factor <NUMBER>', "of topics that are made (default: the source's)")
    .option('--partitions-per-broker <NUMBER>', 'of each broker of the target, copied at a time (default: all)')
    .addOption(
      new Option(
        '--order <ORDER>',
        'which come first: what the source deletes soonest, what has the newest records, by name',
      )
        .choices(['retention', 'newest', 'name'])
        .default('retention'),
    )
    .option('--disk-floor <SIZE>', 'of each disk of the target stays free, or it is held: 5%, 20GB', usualDiskFloor)
    .option('--no-acls', "leave the target's ACLs alone (else those of these topics are made there, as shown)")
    .addOption(
      new Option('--offsets <KIND>', 'mapped; identical is not possible yet')
        .choices(['mapped', 'identical'])
        .default('mapped'),
    )
    .option('--metrics <ADDRESS>', 'tell figures to Prometheus at HOST:PORT/metrics while it runs')
    .option('--wait <TIME>', 'how long an open transaction of the source is waited for', '10m')
    .option('--adopt', 'go on with what an earlier copy has written whose ledger is lost: proven by both sides first')
    .option(
      '--rebuild <TOPIC>',
      'delete that topic of the target and make it anew, if all of it is ours and nobody reads it',
    )
    .option('--dry-run', 'say all that can be known before a byte moves, and change nothing')
    .option('--yes', 'agree to what is changed on the target')
    .option(...journalOption)
    .option('--json', 'one JSON object per journal entry and second, and a last one (docs/reference/kafka-copy.md)');
}

const examples = `
Copies what the source has when it begins. The same command again goes on with what is unfinished, and later copies
what has come since. Ctrl-C settles what is under way and ends; the same command goes on. Twice: it ends at once.
Exit status: 0 copied, 1 an error, 2 something is in the way (--dry-run), it shows what it would change on the target,
a partition is damaged or has stopped, or it was asked to end, 3 an open transaction of the source holds back the rest.

Examples:
  drover kafka copy --source old:9092 --target new:9092 --topics 'orders|clicks\\..*' --max-rate 60MB/s
  drover kafka copy --source old:9092 --target new:9092 --topics orders --max-rate 60MB/s --dry-run
  drover kafka copy --source old:9092 --target new:9092 --topics orders --from -72h --unlimited --yes
  drover kafka copy --source old:9093 --source-config old.properties --target new:9092 --topics '.*' --follow \\
    --unlimited
  drover kafka copy --source old:9092 --target new:9092 --topics orders --unlimited --adopt
  drover kafka copy --source old:9092 --target new:9092 --topics 'orders|clicks' --unlimited --rebuild orders
`;
