import { constants, type Stats } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../../core/fleet/config.ts';
import { hasEnded } from '../../core/rollout/state.ts';
import { PortError } from '../../engine/ports.ts';
import { type Beside, besideJournal, type Stray, straysOf, strayWords, takenByController } from '../back/beside.ts';
import { CliError, type Context } from '../context.ts';
import type { ControllerAnswer } from '../controller/messages.ts';
import { controllerAt } from '../controller/reach.ts';
import { type PastRollout, rolloutsOf } from '../journal/history.ts';
import { verifyStore } from '../journal/verify.ts';
import { goneWords } from '../plan/unfinished.ts';
import { harmless } from '../terminal/text.ts';
import { type Check, type Section, trouble, warning, well } from './diagnosis.ts';

/** The state directory and what is in it. `past` null: the journal cannot be read. */
export type StateExamined = {
  readonly section: Section;
  readonly past: readonly PastRollout[] | null;
  /** Something listens as a controller, whether it answers or not. */
  readonly isControlled: boolean;
};

const mebibyte = 1024 * 1024;
/** An hour of a rollout writes about 2 MiB. */
const freeBytesMin = 100 * mebibyte;

/** Reads only: neither the directory nor a journal is made. `config` null: it is not valid. */
export async function examineState(
  context: Context,
  journalFile: string,
  shown: string,
  config: Config | null,
): Promise<StateExamined> {
  const directory = dirname(journalFile);
  const found = await stat(directory).catch(() => null);
  const named = (checks: readonly Check[]): Section => ({ kind: 'state', name: shown, checks });
  if (found === null) return { section: named([await examineParent(directory)]), past: [], isControlled: false };
  if (!found.isDirectory()) {
    const noDirectory = trouble('it is not a directory', 'give another --journal PATH');
    return { section: named([noDirectory]), past: null, isControlled: false };
  }
  const beside = await besideJournal(context, directory);
  const { checks, past } = await examineJournal(context, journalFile);
  const controller = await controllerOf(context, directory);
  const runs = controller instanceof Error ? null : (controller?.operation ?? null);
  const strays = straysOf(beside, [
    ...(past ?? []).map(({ state }) => state.operation),
    ...(runs === null ? [] : [runs]),
  ]);
  const isNew = past?.length === 0 && strays.length === 0;
  return {
    past,
    isControlled: controller !== null,
    section: named([
      ...directoryChecks({ ...(await accessTo(directory)), mode: found.mode }),
      ...(checks ?? [isNew ? well('no journal yet: nothing was started here') : warning('there is no journal', null)]),
      ...controllerChecks(context, controller, past, config, strays, beside),
      ...strays.map((stray) => strayCheck(stray, directory)),
      ...beside.problems.map((problem) => warning(harmless(problem), 'the way back without a journal cannot go by it')),
      ...markerChecks(beside, past ?? []),
    ]),
  };
}

function strayCheck(stray: Stray, directory: string): Check {
  const { what, remedy } = strayWords(stray, directory, (verb) => `drover ${verb}`);
  return trouble(harmless(what), harmless(remedy));
}

async function examineParent(directory: string): Promise<Check> {
  const parent = dirname(directory);
  if (await isAllowed(parent, constants.W_OK | constants.X_OK))
    return well('not there yet: `drover apply` makes it, mode 0700');
  return trouble(
    `not there, and this user may not make it in ${parent}`,
    'give the directory to the user who runs drover, or name another with --journal PATH',
  );
}

type Access = {
  /** What the operating system says to whoever wants to write; null: nothing. */
  readonly denied: string | null;
  readonly freeBytes: number;
};

async function accessTo(directory: string): Promise<Access> {
  const { bavail, bsize } = await statfs(directory);
  const denied = await access(directory, constants.W_OK | constants.X_OK).then(
    () => null,
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  );
  return { denied, freeBytes: bavail * bsize };
}

/** Whether anything can be written there. */
export function directoryChecks({ denied, freeBytes, mode }: Access & Pick<Stats, 'mode'>): readonly Check[] {
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  const free = `${(freeBytes / mebibyte / 1024).toFixed(1)} GiB free`;
  const mebibytes = Math.floor(freeBytes / mebibyte);
  const isOthers = (mode & 0o022) !== 0;
  const others = isOthers
    ? [warning(`others may write here (mode ${octal})`, 'chmod 700: who writes here controls the traffic')]
    : [];
  if (denied === 'EROFS') return [trouble('the file system is read-only', 'make it writable'), ...others];
  if (denied !== null)
    return [trouble(`this user may not write here (mode ${octal})`, 'run drover as the user who owns it'), ...others];
  if (mebibytes === 0) {
    const kibibytes = Math.floor(freeBytes / 1024);
    const left = kibibytes === 0 ? 'the disk is full' : `the disk is nearly full: only ${kibibytes} KiB are free`;
    return [trouble(`${left}, which holds every rollout`, 'make room; the way back does without'), ...others];
  }
  if (freeBytes < freeBytesMin)
    return [
      warning(
        `writable, mode ${octal}, and only ${mebibytes} MiB are free`,
        'a full disk holds every rollout; make room',
      ),
      ...others,
    ];
  return [well(`writable, mode ${octal}, ${free}`), ...others];
}

/** `checks` null: there is none. */
async function examineJournal(
  context: Context,
  file: string,
): Promise<{ readonly checks: readonly Check[] | null; readonly past: readonly PastRollout[] | null }> {
  try {
    const journal = await context.world.openJournal(file, { readOnly: true });
    try {
      const { entries, chains, findings } = await verifyStore(journal, [], context.world.sha256);
      // What was changed is said in full; nothing is made of it where it can be told only in part.
      const rollouts = rolloutsOf(context.world, journal, null);
      const past = await (findings.length === 0 ? rollouts : rollouts.catch(() => null));
      const count = `${entries} entries of ${chains.length} chains`;
      if (findings.length === 0) return { past, checks: [well(`the journal is whole: ${count}`)] };
      const remedy = '`drover journal verify` names all of it';
      return { past, checks: findings.slice(0, 3).map(({ message }) => trouble(harmless(message), remedy)) };
    } finally {
      await journal.close();
    }
  } catch (error) {
    if (error instanceof PortError && error.code === 'not-found') {
      return { past: [], checks: null };
    }
    if (!(error instanceof Error)) throw error;
    return { past: null, checks: [trouble(`the journal cannot be read: ${error.message}`, null)] };
  }
}

/** What answers at the control socket; null: nothing does. An error: something listens there, and this came of it. */
async function controllerOf(context: Context, directory: string): Promise<ControllerAnswer | Error | null> {
  return await controllerAt(context, join(directory, 'control.sock')).catch((error: unknown) =>
    error instanceof Error ? error : new Error(String(error)),
  );
}

/** Whether a controller is alive, and what is unfinished without one. Checkpoints come every 30 s, so the last entry says since when. */
function controllerChecks(
  context: Context,
  controller: ControllerAnswer | Error | null,
  past: readonly PastRollout[] | null,
  config: Config | null,
  strays: readonly Stray[],
  { markers }: Beside,
): readonly Check[] {
  if (controller instanceof CliError) return [trouble(controller.message, controller.remedy)];
  if (controller instanceof Error)
    return [
      trouble(
        `a controller listens but does not answer: ${controller.message}`,
        'see whether its process hangs: `drover status`',
      ),
    ];
  if (controller !== null) return aliveChecks(controller);
  const isUnknown = past === null || strays.length > 0;
  const open = (past ?? []).filter(({ state }) => !hasEnded(state));
  if (open.length === 0)
    return isUnknown
      ? [warning('no controller is running, and whether something is unfinished is not known', null)]
      : [well('no controller is running, and no rollout is unfinished')];
  return open.map(({ state, entries }) => {
    const last = entries.at(-1)?.atMs ?? state.startedAtMs;
    const age = Math.max(0, Math.round((context.clock.now() - last) / 1000));
    const { service } = state.plan;
    const isGone = config !== null && config.services[service] === undefined;
    // What goes on with it is told with its marker.
    const isMarked = markers.some(({ operation }) => operation === state.operation);
    const goesOn = isGone ? goneWords(state.operation, service) : '`drover apply` goes on with it';
    return warning(
      `no controller is alive, and ${state.operation} is unfinished: its last entry is ${age} s old`,
      isMarked && !isGone ? null : `${goesOn}; \`drover back\` takes the traffic back`,
    );
  });
}

function aliveChecks(answer: ControllerAnswer): readonly Check[] {
  const { pid, operation, trouble: unwritten } = answer;
  const alive = `a controller is alive (pid ${pid}): ${operation ?? 'between two rollouts'}`;
  if (operation === null || unwritten === null) return [well(alive)];
  const taken = takenByController(answer, operation);
  const what = taken === null ? '' : `; the way back of ${operation} was ${taken}`;
  return [
    trouble(
      harmless(`${alive}; it cannot write its journal: ${unwritten}${what}`),
      'put that right: it goes on by itself',
    ),
  ];
}

/** A marker of a rollout that has ended stops nothing: the next one has another name. */
function markerChecks({ markers }: Beside, past: readonly PastRollout[]): readonly Check[] {
  const open = past.filter(({ state }) => !hasEnded(state)).map(({ state }) => state.operation);
  return markers
    .filter(({ operation }) => open.includes(operation))
    .map(({ operation, text }) =>
      warning(
        `a back marker lies here for ${operation} (${harmless(text.slice(0, 200))}): nothing raises its share`,
        '`drover back` finishes the way back. Only where no server is in maint yet does `drover resume --reason TEXT` remove it and go forward',
      ),
    );
}

async function isAllowed(path: string, mode: number): Promise<boolean> {
  return await access(path, mode).then(
    () => true,
    () => false,
  );
}
