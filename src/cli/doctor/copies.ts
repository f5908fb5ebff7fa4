import { dirname } from 'node:path';
import { presentAcls, type TopicAcl } from '../../core/move/acl-facts.ts';
import { aclsOf, hasMoveEnded, type MoveState, setAsideBy } from '../../core/move/operation/state.ts';
import { aclWords } from '../../core/move/rights.ts';
import { type SetAside, stillSet } from '../../core/move/topic-levers.ts';
import { PortError } from '../../engine/ports.ts';
import { CliError, type Context } from '../context.ts';
import { copiesOf } from '../kafka/copy/copies.ts';
import { copyController } from '../kafka/copy/sockets.ts';
import { bootstrapOf } from '../kafka/side.ts';
import { harmless } from '../terminal/text.ts';
import { packageVersion } from '../version.ts';
import { type Check, type Section, warning, well } from './diagnosis.ts';

/** Copies that have not ended: who moves them, and what they have set aside and made on the target. Reads only. */
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

/** Nobody restores what it has left on the target until somebody goes on with it. */
async function deadChecks(context: Context, state: MoveState): Promise<Check[]> {
  const { operation } = state;
  const ways = `\`drover resume ${operation}\` goes on with it, \`drover abort ${operation}\` restores settings and ACLs, and keeps what was copied`;
  const dead = `no controller is alive, and ${operation} is unfinished`;
  const told = (what: string) => [warning(harmless(`${dead}${what}`), ways)];
  const intended = { levers: setAsideBy(state), acls: aclsOf(state) };
  if (isEmpty(intended)) return told('; it has set nothing aside on the target');
  try {
    const left = await leftOnTarget(context, state, intended);
    return isEmpty(left)
      ? told('; of what it had set aside on the target nothing is set any more')
      : told(`, and ${words(left)}`);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return told(
      `; what of it is still on the target is not known: ${error.message}. It may be that ${words(intended)}`,
    );
  }
}

/** What a copy has set aside and made. */
type Left = { readonly levers: readonly SetAside[]; readonly acls: readonly TopicAcl[] };

function isEmpty({ levers, acls }: Left): boolean {
  return levers.length === 0 && acls.length === 0;
}

async function leftOnTarget(context: Context, { plan }: MoveState, { levers, acls }: Left): Promise<Left> {
  const { bootstrap, configFile } = plan.target;
  const place = { bootstrap: bootstrapOf('target', bootstrap), configFile, version: packageVersion() };
  const target = context.world.openCopyTarget({ side: 'target', ...place }, () => null);
  const topics = [...new Set(levers.map(({ topic }) => topic))];
  const signal = AbortSignal.timeout(lookMsMax);
  try {
    const found = await target.read({ topics, holdingsOf: [] }, signal);
    const set = topics.flatMap((topic) => {
      const { topicId = null, settings = null } = found[topic] ?? {};
      const own = levers.filter((lever) => lever.topic === topic);
      return settings === null ? [] : stillSet(own, topicId, settings);
    });
    return { levers: set, acls: acls.length === 0 ? [] : presentAcls(acls, await target.readAcls(signal)) };
  } finally {
    await target.close();
  }
}

function words({ levers, acls }: Left): string {
  const set = levers.map(
    ({ topic, key, before, whileCopying }) => `${topic}: ${key} is ${whileCopying} (before: ${before ?? 'not set'})`,
  );
  return [
    ...(set.length === 0 ? [] : [`settings of the target are still set aside: ${set.join('; ')}`]),
    ...(acls.length === 0 ? [] : [`ACLs that it has made are on the target: ${acls.map(aclWords).join('; ')}`]),
  ].join('; and ');
}

const lookMsMax = 15_000;
