import type { Paint } from './paint.ts';
import type { PlanDocument, ServicePlan } from './plan-document.ts';
import { table } from './table.ts';

/** A plan for people: per line what changes, who owns it and how it is undone. */
export function planLines(plan: PlanDocument, paint: Paint): string[] {
  const lines: string[] = [];
  if (plan.wave !== null) lines.push(`${paint.bold(`Wave ${plan.wave.name}`)}  ${plan.wave.value}`, '');
  for (const service of plan.services) lines.push(...serviceLines(service, paint), '');
  const refused = plan.services.some((service) => service.refusals.length > 0);
  if (refused) lines.push(paint.red('This plan cannot be applied as long as something above is refused.'));
  else lines.push(`Plan ${paint.bold(plan.hash)}`, `  drover apply --plan ${plan.hash}`);
  return lines;
}

function serviceLines(plan: ServicePlan, paint: Paint): string[] {
  const builds = `${plan.builds.origin ?? 'unknown'} → ${plan.builds.destination ?? 'not running yet'}`;
  const rows = plan.lines.map((line) => [
    `  ${line.sign}`,
    line.what,
    line.before,
    '→',
    line.after,
    line.owner,
    line.class === 'one-way' ? paint.yellow(line.class) : line.class,
    paint.dim(line.note),
  ]);
  return [
    `${paint.bold(plan.service)}  ${plan.from} → ${plan.to}  ${paint.dim(`(${plan.kind}, builds ${builds})`)}`,
    ...table(rows, 'llllllll'),
    '  The judge',
    ...plan.judge.map((line) => `    ${line}`),
    '  The way back by hand',
    ...plan.wayBack.map((line) => `    ${line}`),
    ...plan.warnings.map((line) => paint.yellow(`  warning: ${line}`)),
    ...plan.refusals.map((line) => paint.red(`  refused: ${line}`)),
  ];
}
