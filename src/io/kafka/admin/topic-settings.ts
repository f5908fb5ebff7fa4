import type { SettingChange, Settings } from '../../../core/move/topic-facts.ts';
import { known, type Reading, unknown } from '../../../core/observed/reading.ts';
import { alterConfigs } from '../messages/alter-configs.ts';
import { describeConfigs, resourceType } from '../messages/describe-configs.ts';
import type { BrokerPool } from '../reader/broker-pool.ts';
import { isDenied, type Refused, refusedBy } from './answers.ts';

/** Effective settings of topics; one that is not told is unknown, and why. */
export async function topicSettings(
  pool: BrokerPool,
  topics: readonly string[],
): Promise<ReadonlyMap<string, Reading<Settings>>> {
  const found = new Map<string, Reading<Settings>>();
  const broker = await pool.anyBroker();
  for (let at = 0; at < topics.length; at += topicsAtOnce) {
    const resources = topics
      .slice(at, at + topicsAtOnce)
      .map((name) => ({ type: resourceType.topic, name, keys: null }));
    const response = await broker.call(describeConfigs, { resources });
    for (const { name, errorCode, errorMessage, configs } of response.resources) {
      const refused = refusedBy(errorCode, errorMessage);
      const remedy = isDenied(errorCode) ? `: the user needs DescribeConfigs on the topic ${name}` : '';
      found.set(
        name,
        refused === null ? known(settingsOf(configs)) : unknown(`${refused.error}: ${refused.why}${remedy}`),
      );
    }
  }
  return found;
}

export type SettingsChanged = { readonly topic: string; readonly refused: Refused | null };

/** All changes of one topic are made together or not at all. `only-check`: whether the cluster would take them. */
export async function changeSettings(
  pool: BrokerPool,
  changes: readonly SettingChange[],
  mode: 'change' | 'only-check',
): Promise<SettingsChanged[]> {
  if (changes.length === 0) return [];
  const resources = [...Map.groupBy(changes, ({ topic }) => topic)].map(([name, own]) => ({
    type: resourceType.topic,
    name,
    configs: own.map(({ key, value }) => ({ name: key, value })),
  }));
  const broker = await pool.controller();
  const response = await broker.call(alterConfigs, { resources, validateOnly: mode === 'only-check' });
  return response.resources.map(({ name, errorCode, errorMessage }) => ({
    topic: name,
    refused: refusedBy(errorCode, errorMessage),
  }));
}

type Told = { readonly name: string; readonly value: string | null; readonly source: number };

export function settingsOf(configs: readonly Told[]): Settings {
  return Object.fromEntries(configs.map(({ name, value, source }) => [name, { value, level: levelOf(source) }]));
}

/** Of Kafka's ConfigSource; everything between the topic and the default is set somewhere on the brokers. */
function levelOf(source: number): Settings[string]['level'] {
  if (source === topicLevel) return 'topic';
  return source === defaultLevel ? 'default' : 'broker';
}

const topicLevel = 1;
const defaultLevel = 5;
const topicsAtOnce = 200;
