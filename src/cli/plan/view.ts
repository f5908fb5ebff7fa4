import { blamedWords } from '../../core/rollout/taken-back.ts';
import type { Paint } from '../terminal/paint.ts';
import { table } from '../terminal/table.ts';
import { widthOf, wrapTo } from '../terminal/text.ts';
import type { PlanDocument, ServicePlan } from './document.ts';
import { goneWords, type Unfinished } from './unfinished.ts';

/**
 * A plan for people: per line what changes, who owns it and how it is undone. `chosen`: the words by which its services were
 * chosen, without which `apply` would make another plan.
 */
export function planLines(
  plan: PlanDocument,
  paint: Paint,
  columns: number,
  command: (verb: string) => string,
  chosen: string,
  unfinished: Unfinished | null = null,
): string[] {
  const lines: string[] = [];
  if (plan.wave !== null) lines.push(`${paint.bold(`Wave ${plan.wave.name}`)}  ${plan.wave.value}`, '');
  for (const service of plan.services) {
    // What is refused of a service that is being moved is refused because it is: nobody is to put that right by hand.
    const isMoving = service.service === unfinished?.service;
    lines.push(...serviceLines(isMoving ? { ...service, refusals: [] } : service, paint, columns), '');
  }
  const refused = plan.services.some((service) => service.refusals.length > 0);
  if (unfinished !== null) lines.push(...unfinishedLines(unfinished, paint, columns, command));
  else if (refused) lines.push(paint.red('This plan cannot be applied as long as something above is refused.'));
  else
    lines.push(
      `Plan ${paint.bold(plan.hash)}`,
      `  ${command('apply')}${chosen} --plan ${plan.hash.slice(0, hashDigits)}${reasonFor(plan)}`,
    );
  return lines;
}

/** `apply` refuses every other plan meanwhile, so a command with this one's hash would be a wrong one. */
function unfinishedLines(
  unfinished: Unfinished,
  paint: Paint,
  columns: number,
  command: (verb: string) => string,
): string[] {
  const { operation, stage, held, planHash, changed, controllerPid, silence } = unfinished;
  const where = held === null ? stage : `${stage}, held: ${held}`;
  const apply = `  ${command('apply')} --plan ${planHash.slice(0, hashDigits)}   goes on with it`;
  const shown = `  ${command('watch')}   shows it: its controller (pid ${controllerPid}) is alive`;
  const isGone = changed.includes(goneWords(operation, unfinished.service));
  const alone = isGone ? [] : [apply];
  const goesOn = silence !== null ? [] : controllerPid === null ? alone : [shown];
  const resume = held === null ? [] : [`  ${command('resume')}   ends the hold`];
  return [
    ...wrapTo(`${operation} is unfinished (${where}), and no other plan is applied before it has ended.`, columns).map(
      paint.yellow,
    ),
    ...(silence === null
      ? []
      : [silence.what, silence.remedy].flatMap((one) => wrapTo(`  ${one}`, columns)).map(paint.red)),
    ...changed.flatMap((one) => wrapTo(`  the configuration has changed since: ${one}`, columns).map(paint.yellow)),
    ...goesOn,
    ...(silence === null ? resume : []),
    ...(silence === null ? [`  ${command('back')}   takes the traffic back`] : []),
    ...wrapTo('Read the plan again then: how it ends makes another one.', columns),
  ];
}

/** A build that was taken back is not tried again without one. */
function reasonFor({ services }: PlanDocument): string {
  return services.some(({ takenBack }) => takenBack.length > 0) ? ' --reason "why this build is tried again"' : '';
}

function serviceLines(plan: ServicePlan, paint: Paint, columns: number): string[] {
  const builds = `${plan.builds.origin ?? 'unknown'} → ${plan.builds.destination ?? 'not running yet'}`;
  const hanging = (indent: number, text: string) => {
    const [first = '', ...rest] = wrapTo(text, columns - indent - 2);
    return [`${' '.repeat(indent)}${first}`, ...rest.map((line) => `${' '.repeat(indent + 2)}${line}`)];
  };
  return [
    `${paint.bold(plan.service)}  ${plan.from} → ${plan.to}  ${paint.dim(`(${plan.kind}, builds ${builds})`)}`,
    ...changeLines(plan, paint, columns),
    '',
    '  What the judge would see, and how soon, of a build that is bad from the start',
    ...plan.judge.flatMap((line) => hanging(4, line)),
    '',
    // Commands are copied: they are never broken.
    '  The way back by hand',
    ...plan.wayBack.map((line) => `    ${line}`),
    ...takenBackLines(plan)
      .flatMap((line) => hanging(2, line))
      .map(paint.yellow),
    ...plan.warnings.flatMap((line) => hanging(2, `warning: ${line}`)).map(paint.yellow),
    ...plan.refusals.flatMap((line) => hanging(2, `refused: ${line}`)).map(paint.red),
  ];
}

function takenBackLines({ takenBack }: ServicePlan): string[] {
  if (takenBack.length === 0) return [];
  return [`warning: ${blamedWords(takenBack)}: apply asks for a --reason to try it again`];
}

/** Notes stand beside the changes where they fit, else below them. */
function changeLines(plan: ServicePlan, paint: Paint, columns: number): string[] {
  const changes = table(
    plan.lines.map((line) => [
      `  ${line.sign}`,
      line.what,
      line.before,
      '→',
      line.after,
      line.owner,
      line.class === 'one-way' ? paint.yellow(line.class) : line.class,
    ]),
    'lllllll',
  );
  const beside = Math.max(0, ...changes.map(widthOf)) + 2;
  const fits = columns - beside >= noteColumnsMin;
  const indent = fits ? beside : 7;
  return changes.flatMap((change, at) => {
    const notes = wrapTo(plan.lines[at]?.note ?? '', columns - indent).map(paint.dim);
    const [first = '', ...rest] = notes;
    const gap = ' '.repeat(Math.max(0, beside - widthOf(change)));
    const indented = (lines: readonly string[]) => lines.map((line) => ' '.repeat(indent) + line);
    return fits ? [`${change}${gap}${first}`, ...indented(rest)] : [change, ...indented(notes)];
  });
}

const noteColumnsMin = 36;
/** `apply` takes 8 and more; the whole hash stands in the line above. */
const hashDigits = 16;
