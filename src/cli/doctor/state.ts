import { constants, type Stats } from 'node:fs';
import { access, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../../core/fleet/config.ts';
import { hasEnded } from '../../core/rollout/state.ts';
import { PortError } from '../../engine/ports.ts';
import { exportedStates } from '../back/exported-state.ts';
import type { Context } from '../context.ts';
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
  const { checks, past } = await examineJournal(context, journalFile);
  const controller = await examineController(context, directory, past, config);
  return {
    past,
    isControlled: controller.isThere,
    section: named([
      ...(await examineDirectory(directory, found)),
      ...checks,
      ...controller.checks,
      ...(await examineMarkers(directory, past ?? [])),
    ]),
  };
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

async function examineDirectory(directory: string, { mode }: Stats): Promise<Check[]> {
  const checks: Check[] = [];
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  const { bavail, bsize } = await statfs(directory);
  const freeBytes = bavail * bsize;
  const free = `${(freeBytes / mebibyte / 1024).toFixed(1)} GiB free`;
  if (await isAllowed(directory, constants.W_OK | constants.X_OK))
    checks.push(well(`writable, mode ${octal}, ${free}`));
  else checks.push(trouble(`this user may not write here (mode ${octal})`, 'run drover as the user who owns it'));
  if (freeBytes < freeBytesMin) {
    checks.push(
      warning(`only ${Math.floor(freeBytes / mebibyte)} MiB are free`, 'a full disk holds every rollout; make room'),
    );
  }
  if ((mode & 0o022) !== 0) {
    checks.push(warning(`others may write here (mode ${octal})`, `chmod 700: who writes here controls the traffic`));
  }
  return checks;
}

async function examineJournal(
  context: Context,
  file: string,
): Promise<{ checks: readonly Check[]; past: readonly PastRollout[] | null }> {
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
      return { past: [], checks: [well('no journal yet: nothing was started here')] };
    }
    if (!(error instanceof Error)) throw error;
    return { past: null, checks: [trouble(`the journal cannot be read: ${error.message}`, null)] };
  }
}

/** Whether a controller is alive, and what is unfinished without one. Checkpoints come every 30 s, so the last entry says since when. */
async function examineController(
  context: Context,
  directory: string,
  past: readonly PastRollout[] | null,
  config: Config | null,
): Promise<{ readonly isThere: boolean; readonly checks: readonly Check[] }> {
  const socket = join(directory, 'control.sock');
  try {
    const answer = await context.world.askControl(socket, { kind: 'status' }, AbortSignal.timeout(5_000));
    if (answer !== undefined)
      return { isThere: true, checks: [well(`a controller is alive${describeController(answer)}`)] };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const remedy = 'see whether its process hangs: `drover status`';
    return { isThere: true, checks: [trouble(`a controller listens but does not answer: ${reason}`, remedy)] };
  }
  return { isThere: false, checks: await withoutController(context, directory, past, config) };
}

async function withoutController(
  context: Context,
  directory: string,
  past: readonly PastRollout[] | null,
  config: Config | null,
): Promise<readonly Check[]> {
  const open = (past ?? []).filter(({ state }) => !hasEnded(state));
  if (past === null) return [await unreadAndAlone(directory)];
  if (open.length === 0) return [well('no controller is running, and nothing is unfinished')];
  return open.map(({ state, entries }) => {
    const last = entries.at(-1)?.atMs ?? state.startedAtMs;
    const age = Math.max(0, Math.round((context.clock.now() - last) / 1000));
    const { service } = state.plan;
    const goesOn =
      config === null || config.services[service] !== undefined
        ? '`drover apply` goes on with it'
        : goneWords(state.operation, service);
    return warning(
      `no controller is alive, and ${state.operation} is unfinished: its last entry is ${age} s old`,
      `${goesOn}; \`drover back\` takes the traffic back`,
    );
  });
}

/** Without the journal nobody knows what is unfinished; the exported states say what can be taken back. */
async function unreadAndAlone(directory: string): Promise<Check> {
  const { states } = await exportedStates(directory);
  const open = states.filter(({ completed }) => !completed).map(({ operation }) => operation);
  const known =
    open.length === 0 ? '' : `; what was exported says that ${open.join(', ')} ${open.length === 1 ? 'was' : 'were'}`;
  return warning(
    `no controller is running, and whether something is unfinished is not known${known}`,
    open.length === 0 ? null : '`drover back` takes the traffic back, also without the journal',
  );
}

function describeController(answer: unknown): string {
  if (typeof answer !== 'object' || answer === null) return '';
  const { pid, operation } = answer as { readonly pid?: unknown; readonly operation?: unknown };
  return ` (pid ${String(pid)}): ${operation === null ? 'between two rollouts' : String(operation)}`;
}

/** A marker of a rollout that has ended stops nothing: the next one has another name. */
async function examineMarkers(directory: string, past: readonly PastRollout[]): Promise<Check[]> {
  const ended = new Set(past.filter(({ state }) => hasEnded(state)).map(({ state }) => state.operation));
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.back'));
  const checks: Check[] = [];
  for (const name of names) {
    const operation = name.replace(/\.back$/, '');
    if (ended.has(operation)) continue;
    const who = (await readFile(join(directory, name), 'utf8').catch(() => '')).trim().slice(0, 200);
    checks.push(
      warning(
        `a back marker lies here for ${operation}${who === '' ? '' : ` (${harmless(who)})`}: nothing raises its share`,
        '`drover back` finishes the way back. Only where no server is in maint yet does `drover resume --reason TEXT` remove it and go forward',
      ),
    );
  }
  return checks;
}

async function isAllowed(path: string, mode: number): Promise<boolean> {
  return await access(path, mode).then(
    () => true,
    () => false,
  );
}
