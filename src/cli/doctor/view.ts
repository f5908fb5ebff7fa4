import type { Paint } from '../terminal/paint.ts';
import { harmless, wrapTo } from '../terminal/text.ts';
import type { Check, Diagnosis, Level, Section } from './diagnosis.ts';

const indent = 12;

/** A diagnosis for people: each check with its level, what is wrong with what to do, and the verdict last. */
export function diagnosisLines(diagnosis: Diagnosis, paint: Paint, columns: number): string[] {
  const lines = diagnosis.sections.flatMap((section) => [...sectionLines(section, paint, columns), '']);
  if (diagnosis.allow.length > 0) {
    lines.push(paint.bold('What Drover has to be allowed'));
    for (const { what, how } of diagnosis.allow) lines.push(...hanging('  ·         ', `${what}: ${how}`, columns));
    lines.push('');
  }
  return [...lines, verdictLine(diagnosis, paint)];
}

const titles = {
  configuration: 'Configuration',
  state: 'State',
  copy: 'Copy',
  balancer: 'Balancer',
  service: 'Service',
} as const;

function sectionLines({ kind, name, checks }: Section, paint: Paint, columns: number): string[] {
  return [
    `${paint.bold(titles[kind])}  ${harmless(name)}`,
    ...checks.flatMap((check) => checkLines(check, paint, columns)),
  ];
}

function checkLines({ level, what, remedy }: Check, paint: Paint, columns: number): string[] {
  const [first = '', ...rest] = hanging(' '.repeat(indent), what, columns);
  const lines = [`  ${label(level, paint)}${first.slice(indent)}`, ...rest];
  if (remedy === null) return lines;
  return [...lines, ...hanging(' '.repeat(indent), `→ ${remedy}`, columns).map(paint.dim)];
}

function label(level: Level, paint: Paint): string {
  const width = indent - 2;
  switch (level) {
    case 'well':
      return paint.green('well'.padEnd(width));
    case 'warning':
      return paint.yellow('warning'.padEnd(width));
    case 'trouble':
      return paint.red('TROUBLE'.padEnd(width));
  }
}

/** Each of the text's own lines (problems of a configuration have several) wrapped behind the first prefix. */
function hanging(prefix: string, text: string, columns: number): string[] {
  const wrapped = text.split('\n').flatMap((line) => wrapTo(harmless(line), Math.max(20, columns - indent)));
  return wrapped.map((line, at) => `${at === 0 ? prefix : ' '.repeat(indent)}${line}`);
}

function verdictLine({ sections }: Diagnosis, paint: Paint): string {
  const count = (level: Level) =>
    sections.flatMap(({ checks }) => checks).filter((check) => check.level === level).length;
  const [troubles, warnings] = [count('trouble'), count('warning')];
  const warned = warnings === 0 ? '' : `, ${warnings} warning${warnings === 1 ? '' : 's'}`;
  if (troubles > 0)
    return paint.red(
      `${troubles === 1 ? 'One thing keeps' : `${troubles} things keep`} a rollout from working${warned}.`,
    );
  if (sections.every(({ kind }) => kind === 'copy')) return copiesLine(warnings, paint);
  const services = sections.filter(({ kind }) => kind === 'service');
  const isMoved = services.length > 0 && services.every(({ moved }) => moved === true);
  if (isMoved) return (warnings > 0 ? paint.yellow : paint.green)(`Nothing is left to move${warned}.`);
  return warnings > 0 ? paint.yellow(`A rollout can work${warned}.`) : paint.green('All is well.');
}

/** Without a configuration copies of Kafka data are all that there is. */
function copiesLine(warnings: number, paint: Paint): string {
  return warnings > 0
    ? paint.yellow(`${warnings === 1 ? 'One copy needs' : `${warnings} copies need`} somebody.`)
    : paint.green('All is well.');
}
