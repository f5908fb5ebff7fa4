import { dirname } from 'node:path';
import { hasMoveEnded, type MoveState, setAsideBy } from '../../core/move/operation/state.ts';
import { type SetAside, stillSet } from '../../core/move/topic-levers.ts';
import { PortError } from '../../engine/ports.ts';
import { CliError, type Context } from '../context.ts';
import { copiesOf } from '../kafka/copy/copies.ts';
import { copyController } from '../kafka/copy/sockets.ts';
import { bootstrapOf } from '../kafka/side.ts';
import { harmless } from '../terminal/text.ts';
import { packageVersion } from '../version.ts';
import { type Check, type Section, warning, well } from './diagnosis.ts';

/** Copies that have not ended: who moves them, and what they have set aside on the target. Reads only. */
export async function examineCopies(context: Context, journalFile: string): Promise<Section[]> {
  const open = (await foldedCopies(context, journalFile)).filter((state) => !hasMoveEnded(state));
  return await Promise.all(open.map((state) => examineCopy(context, state, dirname(journalFile))));
}

/** What is wrong with the journal is told with the state directory. */
async function foldedCopies(context: Context, journalFile: string): Promise<readonly MoveState[]> {
  try {
    const journal = await context.world.openJournal(journalFile, { readOnly: true });
    try {
      return (await copiesOf(context.world, journal)).map(({ state }) => state);
    } finally {
      await journal.close();
    }
  } catch (error) {
    if (error instanceof PortError || error instanceof CliError) return [];
    throw error;
  }
}

async function examineCopy(context: Context, state: MoveState, stateDirectory: string): Promise<Section> {
  const { operation, plan } = state;
  const topics = plan.topics.map(({ name }) => name).join(', ');
  const name = harmless(`${operation}: ${topics}, ${plan.source.bootstrap} → ${plan.target.bootstrap}`);
  const found = await copyController(context, stateDirectory, operation).catch(() => 'silent' as const);
  const checks: Check[] =
    found === null
      ? await deadChecks(context, state)
      : found === 'silent'
        ? [
            warning(
              `a controller of ${operation} listens and does not answer`,
              '`drover kafka status` tells how it stands',
            ),
          ]
        : [well(`its controller is alive (pid ${found.pid})`)];
  return { kind: 'copy', name, checks };
}

/** Nobody restores what it has set aside until somebody goes on with it. */
async function deadChecks(context: Context, state: MoveState): Promise<Check[]> {
  const { operation } = state;
  const ways = `\`drover resume ${operation}\` goes on with it, \`drover abort ${operation}\` restores settings and keeps what was copied`;
  const dead = `no controller is alive, and ${operation} is unfinished`;
  const levers = setAsideBy(state);
  if (levers.length === 0) return [warning(`${dead}; it has set nothing aside on the target`, ways)];
  try {
    const set = await leversSet(context, state, levers);
    if (set.length === 0)
      return [warning(`${dead}; of what it had set aside on the target nothing is set any more`, ways)];
    return [warning(harmless(`${dead}, and settings of the target are still set aside: ${words(set)}`), ways)];
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const unknown = `whether settings are still set aside on the target is not known: ${error.message}`;
    return [warning(harmless(`${dead}; ${unknown}; it had set: ${words(levers)}`), ways)];
  }
}

async function leversSet(context: Context, { plan }: MoveState, levers: readonly SetAside[]): Promise<SetAside[]> {
  const { bootstrap, configFile } = plan.target;
  const place = { bootstrap: bootstrapOf('target', bootstrap), configFile, version: packageVersion() };
  const target = context.world.openCopyTarget({ side: 'target', ...place }, () => null);
  const topics = [...new Set(levers.map(({ topic }) => topic))];
  try {
    const found = await target.read({ topics, holdingsOf: [] }, AbortSignal.timeout(lookMsMax));
    return topics.flatMap((topic) => {
      const { topicId = null, settings = null } = found[topic] ?? {};
      const own = levers.filter((lever) => lever.topic === topic);
      return settings === null ? [] : stillSet(own, topicId, settings);
    });
  } finally {
    await target.close();
  }
}

function words(levers: readonly SetAside[]): string {
  return levers
    .map(
      ({ topic, key, before, whileCopying }) => `${topic}: ${key} is ${whileCopying} (before: ${before ?? 'not set'})`,
    )
    .join('; ');
}

const lookMsMax = 15_000;
