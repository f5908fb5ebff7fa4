import { CliError } from '../../context.ts';
import type { KafkaSide, SideName, TopicFacts } from '../side.ts';
import { topicPattern } from '../topic-pattern.ts';

export type Chosen = {
  /** On both sides, with the partitions that both have. */
  readonly common: readonly TopicFacts[];
  readonly lacking: readonly Lacking[];
  readonly uneven: readonly Uneven[];
};
/** `side` lacks the topic. */
export type Lacking = { readonly topic: string; readonly side: SideName };
/** Partitions of the same topic. */
export type Uneven = { readonly topic: string; readonly source: number; readonly target: number };

/** Topics whose whole name fits, of the same name on both sides. Kafka's own are never among them. */
export async function chooseTopics(
  sides: Readonly<Record<SideName, KafkaSide>>,
  { topics, exclude }: { readonly topics: string; readonly exclude: string | null },
): Promise<Chosen> {
  const isChosen = topicPattern(topics, exclude);
  const fits = ({ name }: TopicFacts) => isChosen(name);
  const [source, target] = await Promise.all([sides.source.topics(), sides.target.topics()]);
  const found = { source: source.filter(fits), target: target.filter(fits) };
  if (found.source.length + found.target.length === 0)
    throw new CliError(
      `no topic of either side has a name that is ${topics} from its beginning to its end`,
      'a user sees only topics that it may describe: kafka-acls --add --operation Describe --topic … if it should be there',
    );
  const lacking = [
    ...(await lackingOn('target', sides.target, found.source, found.target)),
    ...(await lackingOn('source', sides.source, found.target, found.source)),
  ];
  const pairs = found.source.flatMap((one) => {
    const other = found.target.find(({ name }) => name === one.name);
    return other === undefined ? [] : [{ one, other }];
  });
  const common = pairs.map(({ one, other }) => ({
    name: one.name,
    partitions: one.partitions.filter((partition) => other.partitions.includes(partition)),
  }));
  const uneven = pairs
    .map(({ one, other }) => ({ topic: one.name, source: one.partitions.length, target: other.partitions.length }))
    .filter((pair) => pair.source !== pair.target);
  return { common: common.toSorted((one, other) => (one.name < other.name ? -1 : 1)), lacking, uneven };
}

async function lackingOn(
  side: SideName,
  there: KafkaSide,
  elsewhere: readonly TopicFacts[],
  here: readonly TopicFacts[],
): Promise<Lacking[]> {
  const names = elsewhere.map(({ name }) => name).filter((name) => !here.some((topic) => topic.name === name));
  // Asked by name, one that may not be seen is told apart from one that is not there.
  return (await there.missing(names)).map((topic) => ({ topic, side }));
}
