import type { Paint } from './paint.ts';
import type { PlanDocument, ServicePlan, Unfinished } from './plan-document.ts';
import { table } from './table.ts';
import { widthOf, wrapTo } from './terminal-text.ts';

/** A plan for people: per line what changes, who owns it and how it is undone. */
export function planLines(
  plan: PlanDocument,
  paint: Paint,
  columns: number,
  command: (verb: string) => string,
): string[] {
  const lines: string[] = [];
  if (plan.wave !== null) lines.push(`${paint.bold(`Wave ${plan.wave.name}`)}  ${plan.wave.value}`, '');
  for (const service of plan.services) {
    // What speaks against a start is its own doing.
    const isOpen = service.service === plan.unfinished?.service;
    lines.push(...serviceLines(isOpen ? { ...service, refusals: [] } : service, paint, columns), '');
  }
  if (plan.unfinished !== null) return [...lines, ...unfinishedLines(plan.unfinished, paint, columns, command)];
  const refused = plan.services.some((service) => service.refusals.length > 0);
  if (refused) lines.push(paint.red('This plan cannot be applied as long as something above is refused.'));
  else lines.push(`Plan ${paint.bold(plan.hash)}`, `  ${command('apply')} --plan ${plan.hash.slice(0, hashDigits)}`);
  return lines;
}

/** Its own hash is not shown: `apply` would refuse it. */
function unfinishedLines(
  { operation, stage, planHash }: Unfinished,
  paint: Paint,
  columns: number,
  command: (verb: string) => string,
): string[] {
  const text = `${operation} is unfinished (${stage}): this plan cannot be applied before it has ended.`;
  return [
    ...wrapTo(text, columns).map(paint.red),
    ...table(
      [
        [`  ${command('apply')} --plan ${planHash.slice(0, hashDigits)}`, 'goes on with it'],
        [`  ${command('back')}`, 'takes it back'],
      ],
      'll',
    ),
  ];
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
    '  What the judge would see, and how soon',
    ...plan.judge.flatMap((line) => hanging(4, line)),
    '',
    // Commands are copied: they are never broken.
    '  The way back by hand',
    ...plan.wayBack.map((line) => `    ${line}`),
    ...plan.warnings.flatMap((line) => hanging(2, `warning: ${line}`)).map(paint.yellow),
    ...plan.refusals.flatMap((line) => hanging(2, `refused: ${line}`)).map(paint.red),
  ];
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
