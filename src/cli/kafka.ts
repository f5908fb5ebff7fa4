import { type Command, Option } from 'commander';
import { CliError, type Context } from './context.ts';
import { addCopy } from './kafka/copy.ts';
import { addOffsets } from './kafka/offsets.ts';
import { addProve } from './kafka/prove.ts';
import { withReachRemedy } from './kafka/reach-remedy.ts';
import { bootstrapOf, type Isolation, type KafkaSide, type SideName } from './kafka/side.ts';
import { addKafkaStatus } from './kafka/status.ts';
import { verify } from './kafka/verify/verify.ts';
import { type Report, reportLines } from './kafka/verify/words.ts';
import { untilInterrupted } from './terminal/interruption.ts';
import { harmless } from './terminal/text.ts';
import { packageVersion } from './version.ts';

type VerifyWords = {
  readonly source: string;
  readonly target: string;
  readonly topics: string;
  readonly exclude?: string;
  readonly sourceConfig?: string;
  readonly targetConfig?: string;
  readonly isolation: Isolation;
  readonly json?: true;
};

/** `drover kafka`: Kafka data of two clusters. */
export function addKafka(program: Command, context: Context): void {
  const kafka = program
    .command('kafka')
    .description('copy Kafka topics from one cluster to another, and compare them record by record')
    .addHelpText('after', kafkaExamples);
  addCopy(kafka, context);
  addKafkaStatus(kafka, context);
  addOffsets(kafka, context);
  addProve(kafka, context);
  kafka
    .command('verify')
    .description('compare topics of two clusters, record by record; reads only')
    .requiredOption('--source <BOOTSTRAP>', 'HOST:PORT of some brokers, with commas')
    .requiredOption('--target <BOOTSTRAP>', 'the same of the other cluster')
    .requiredOption('--topics <REGEX>', 'topics whose whole name fits; never __*')
    .option('--exclude <REGEX>', 'but not these')
    .option('--source-config <FILE>', "what Kafka's tools take as --command-config: TLS, SASL")
    .option('--target-config <FILE>', 'the same for the target')
    .addOption(
      new Option('--isolation <LEVEL>', 'which records count')
        .choices(['read_committed', 'read_uncommitted'])
        .default('read_committed'),
    )
    .option('--json', 'one object (docs/reference/kafka-verify.md)')
    .addHelpText('after', verifyExamples)
    .action(async (words: VerifyWords) => {
      const interruption = untilInterrupted();
      try {
        await withReachRemedy(() => verifyAndTell(context, words, interruption.signal));
      } finally {
        interruption.release();
      }
    });
}

const kafkaExamples = `
Exit status: that of the verb.

Examples:
  drover kafka copy --source old:9092 --target new:9092 --topics 'orders|clicks\\..*' --max-rate 60MB/s
  drover kafka verify --source old:9092 --target new:9092 --topics 'orders|clicks\\..*'
`;

const verifyExamples = `
Compares key, value, headers and time of each record, in order, up to the ends that both sides have when it begins.
Offsets may differ. Works on copies made by anything. Reading needs the operations Read, Describe and
DescribeConfigs on the topics.
Exit status: 0 equal, 1 error, 2 different, 3 undecidable: all that differs is that the source's records are gone, or
that a side is compacted.

Examples:
  drover kafka verify --source old:9092 --target new:9092 --topics 'orders|clicks\\..*'
  drover kafka verify --source old:9093 --source-config old.properties --target new:9092 --topics '.*' --exclude 'x-.*'
  drover kafka verify --source old:9092 --target new:9092 --topics orders --json | jq '.topics[].partitions[].counts'
`;

async function verifyAndTell(context: Context, words: VerifyWords, signal: AbortSignal): Promise<void> {
  const sides = { source: openSide(context, 'source', words), target: openSide(context, 'target', words) };
  const closeBoth = () => Promise.all([sides.source.close(), sides.target.close()]);
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new CliError('interrupted: there is no verdict')));
  });
  try {
    for (const { notes } of [sides.source, sides.target])
      for (const note of notes) context.stderr.write(`${harmless(note)}\n`);
    const { topics, exclude = null, isolation } = words;
    const work = verify(context, sides, { topics, exclude, isolation }, signal);
    // After an interruption nobody waits for what it comes to.
    work.catch(() => undefined);
    tell(context, await Promise.race([work, interrupted]), words.json === true);
  } finally {
    interrupted.catch(() => undefined);
    await closeBoth();
  }
}

function openSide(context: Context, side: SideName, words: VerifyWords): KafkaSide {
  const bootstrap = bootstrapOf(side, words[side]);
  const configFile = words[`${side}Config`] ?? null;
  return context.world.openKafka({ side, bootstrap, configFile, version: packageVersion() });
}

function tell(context: Context, report: Report, json: boolean): void {
  const { verdict, topics, lacking, uneven, bytes, elapsedMs } = report;
  if (json)
    context.stdout.write(
      `${JSON.stringify({ verdict, topics, lacking, uneven, bytes, elapsedMs: Math.round(elapsedMs) })}\n`,
    );
  else for (const line of reportLines(report)) context.stdout.write(`${harmless(line)}\n`);
  context.setExitCode(({ equal: 0, different: 2, undecidable: 3 } as const)[verdict]);
}
