import { controllability, type Finding } from '../../core/fleet/controllability.ts';
import { outlookOf } from '../../core/observed/outlook.ts';
import { groupOf, type Tally } from '../../core/observed/tally.ts';
import type { PortError } from '../../engine/ports.ts';
import type { Context } from '../context.ts';
import type { LiveBlock } from '../terminal/live.ts';
import { type Paint, paintFor } from '../terminal/paint.ts';
import { recordOf } from './record.ts';
import type { Subject } from './subjects.ts';
import { describeSeen, type Seen, summarizeOutlook, summarizeSeen } from './view.ts';

/** `failure`: why the last reading failed; `tally` is then that of the last one that did not. */
export type Watched = { readonly subject: Subject; readonly tally: Tally | null; readonly failure: PortError | null };

export type Printer = (now: readonly Watched[], before: readonly Watched[]) => void;

function seenOf({ subject, tally }: Watched): Seen | null {
  if (tally === null) return null;
  const { title, groups, rules } = subject;
  return { title, groups, tally, outlook: outlookOf(tally, groups, rules) };
}

/** One line of JSON for each backend and reading. */
export function jsonPrinter({ stdout, clock }: Context): Printer {
  return (now, before) => {
    for (const [at, watched] of now.entries()) {
      const seen = watched.failure === null ? seenOf(watched) : null;
      const isFirst = before[at]?.tally === null || (watched.tally?.restarted ?? null) !== null;
      const record =
        seen === null ? failureRecord(watched, clock.now()) : recordOf(seen, isFirst ? 'since-start' : 'window');
      stdout.write(`${JSON.stringify(record)}\n`);
    }
  };
}

function failureRecord({ subject, failure }: Watched, nowMs: number): Record<string, unknown> {
  const at = new Date(nowMs).toISOString();
  return {
    at,
    kind: 'unreadable',
    backend: subject.title,
    code: failure?.code ?? null,
    error: failure?.message ?? null,
  };
}

/** A block redrawn in place on a terminal; piped, a table of each backend and then a dated line for each second. */
export function textPrinter(context: Context, live: LiveBlock): Printer {
  const paint = paintFor(context);
  const outlooks = outlookNotes(context, live);
  return (now, before) => {
    for (const [at, watched] of now.entries()) noteChanges(watched, before[at] ?? watched, live, paint);
    noteFindings(now, before, live, paint);
    const { terminal } = context.stdout;
    if (terminal !== null) {
      const columns = terminal.columns > 0 ? terminal.columns : 80;
      const block = now.flatMap((watched) => [...describe(watched, paint, columns), '']);
      live.show([...block, paint.dim(footer(now.length))]);
      return;
    }
    for (const [at, watched] of now.entries()) {
      if (before[at]?.tally !== null && watched.tally !== null) noteFigures(watched, live);
      else if (watched.tally !== null) context.stdout.write(`${describe(watched, paint, pipedColumns).join('\n')}\n\n`);
      outlooks(watched, before[at]?.tally === null);
    }
  };
}

/**
 * What the judge would see: said when it, or the dispersion, becomes known or unknown, and then at intervals, because it
 * becomes truer as traffic is counted. `isShown`: it has just been said with everything else.
 */
function outlookNotes({ clock }: Context, live: LiveBlock): (watched: Watched, isShown: boolean) => void {
  const told = new Map<string, { readonly key: string; readonly atMs: number }>();
  return (watched, isShown) => {
    const seen = watched.failure === null ? seenOf(watched) : null;
    if (seen === null) return;
    const { outlook, title } = seen;
    const key = outlook.known ? `known, dispersion ${outlook.value.dispersion.known}` : outlook.why;
    const atMs = clock.monotonic();
    const last = told.get(title);
    if (!isShown && last?.key === key && atMs - last.atMs < outlookIntervalMs) return;
    if (!isShown) live.note(summarizeOutlook(seen));
    told.set(title, { key, atMs });
  };
}

const outlookIntervalMs = 30_000;

const pipedColumns = 120;

function footer(subjects: number): string {
  return `${subjects === 1 ? 'one backend' : `${subjects} backends`}, read each second; nothing is written. Ctrl-C ends.`;
}

function describe(watched: Watched, paint: Paint, columns: number): string[] {
  const seen = seenOf(watched);
  const lines = seen === null ? [paint.bold(watched.subject.title)] : describeSeen(seen, paint, columns);
  return watched.failure === null ? lines : [...lines, paint.red(`  cannot be read now: ${watched.failure.message}`)];
}

function noteFigures(watched: Watched, live: LiveBlock): void {
  const seen = watched.failure === null ? seenOf(watched) : null;
  if (seen !== null) live.note(summarizeSeen(seen));
}

/** What happens once is said once: a restart, a balancer that is lost or back. */
function noteChanges({ subject, tally, failure }: Watched, before: Watched, live: LiveBlock, paint: Paint): void {
  const { title } = subject;
  if (failure !== null && before.failure === null) live.note(paint.red(`${title}  cannot be read: ${failure.message}`));
  if (failure === null && before.failure !== null) live.note(`${title}  can be read again`);
  if (failure === null && tally?.restarted != null) live.note(`${title}  counting began anew: ${tally.restarted}`);
}

/** Each finding once, however many backends have it. */
function noteFindings(now: readonly Watched[], before: readonly Watched[], live: LiveBlock, paint: Paint): void {
  const titles = new Map<string, string[]>();
  for (const [at, { subject, tally }] of now.entries()) {
    if (tally === null || before[at]?.tally !== null) continue;
    for (const finding of findingsOf(subject, tally)) {
      const text = describeFinding(finding, paint);
      titles.set(text, [...(titles.get(text) ?? []), subject.title]);
    }
  }
  for (const [text, [first = '', ...others]] of titles) {
    live.note(`${first}${others.length === 0 ? '' : ` and ${others.length} more`}  ${text}`);
  }
}

function findingsOf({ groups }: Subject, { reading }: Tally): Finding[] {
  return controllability(
    reading.traits,
    reading.servers.filter((server) => groupOf(groups, server.name) !== null),
  );
}

function describeFinding({ severity, what, why, remedy }: Finding, paint: Paint): string {
  const mark = severity === 'refuse' ? paint.red('no rollout') : paint.yellow('warning');
  return `${mark}: ${paint.bold(what)}. ${why} ${remedy}`;
}
