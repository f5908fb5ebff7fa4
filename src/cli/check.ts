import type { Command } from 'commander';
import type { Parsed } from '../config/parse.ts';
import { formatProblem, type Problem } from '../config/problem.ts';
import { judgedSteps } from '../core/rollout/from-config.ts';
import { type BackendCheck, checkBackends, describeObjective } from './check/backends.ts';
import type { Context } from './context.ts';
import { configOption, readConfig } from './load-config.ts';
import { type Paint, paintFor } from './terminal/paint.ts';
import { table } from './terminal/table.ts';
import { harmless } from './terminal/text.ts';

type CheckOptions = { readonly config?: string; readonly offline?: true; readonly json?: true };

/** How long a balancer may take to answer. */
const deadlineMs = 5_000;

/** `drover check`: everything that is wrong with the configuration, in one go; exit 0 valid, 1 not. */
export function addCheck(program: Command, context: Context): void {
  program
    .command('check')
    .description('check the configuration, and what of it can be controlled where the balancers answer')
    .option(...configOption)
    .option('--offline', 'leave the balancers alone')
    .option('--json', 'one object (docs/reference/check.md)')
    .addHelpText('after', examples)
    .action(async (options: CheckOptions) => {
      const { file, parsed } = await readConfig(context, options.config);
      const online = parsed.ok && options.offline !== true;
      const backends = online ? await checkBackends(parsed.config, context.world, deadlineMs) : null;
      const print = options.json === true ? printJson : printText;
      print(context, { file, parsed, backends });
      context.setExitCode(parsed.ok ? 0 : 1);
    });
}

const examples = `
Exit status: 0 the configuration is valid (there may be warnings), 1 it is not, or cannot be read.

Examples:
  drover check                         drover.yaml here or in a parent directory
  drover check --config fleet.yaml --offline
  drover check --json | jq '.problems[].message'
`;

/** `backends` null: the balancers were not asked. */
type Result = { readonly file: string; readonly parsed: Parsed; readonly backends: readonly BackendCheck[] | null };

function printJson(context: Context, { file, parsed, backends }: Result): void {
  const fleet = parsed.ok
    ? {
        name: parsed.config.name,
        environments: Object.keys(parsed.config.environments),
        balancers: Object.keys(parsed.config.balancers),
        services: Object.keys(parsed.config.services),
        waves: parsed.config.waves.map((wave) => wave.name),
      }
    : null;
  const problems = parsed.ok ? [] : parsed.problems;
  const result = { ok: parsed.ok, file, problems, warnings: parsed.warnings, fleet, backends };
  context.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
}

function printText(context: Context, { file, parsed, backends }: Result): void {
  const paint = paintFor(context);
  const lines: string[] = [];
  if (!parsed.ok) for (const problem of parsed.problems) lines.push(formatProblem(problem), '');
  for (const warning of parsed.warnings) lines.push(formatWarning(warning, paint), '');
  if (parsed.ok) {
    for (const check of backends ?? []) lines.push(...backendLines(check, paint));
    lines.push(...summary(file, parsed, backends, paint));
  } else {
    const warned = parsed.warnings.length === 0 ? '' : `, ${count(parsed.warnings.length, 'warning')}`;
    lines.push(paint.red(`${file}: ${count(parsed.problems.length, 'problem')}${warned}`));
  }
  context.stdout.write(
    `${lines
      .flatMap((line) => line.split('\n'))
      .map(harmless)
      .join('\n')}\n`,
  );
}

function formatWarning(warning: Problem, paint: Paint): string {
  return formatProblem({ ...warning, message: `${paint.yellow('warning:')} ${warning.message}` });
}

function backendLines(check: BackendCheck, paint: Paint): string[] {
  return check.findings.flatMap((finding) => {
    const title = finding.severity === 'refuse' ? paint.red('no rollout starts:') : paint.yellow('warning:');
    return [
      `${check.id} (${check.service})  ${title} ${finding.what}`,
      `    why       ${finding.why}`,
      `    remedy    ${finding.remedy}`,
      '',
    ];
  });
}

function summary(
  file: string,
  { config, warnings }: Parsed & { ok: true },
  backends: Result['backends'],
  paint: Paint,
): string[] {
  const services = Object.values(config.services);
  const rows = services.map((service) => [
    `  ${service.name}`,
    `${service.origin.environment} → ${service.destination.environment}`,
    service.owner,
    `objective ${describeObjective(service)}`,
    count(judgedSteps(service).length, 'step'),
  ]);
  const warned = warnings.length + (backends ?? []).reduce((sum, check) => sum + check.findings.length, 0);
  const waves = config.waves.map((wave) => `  wave ${wave.name}: ${wave.services.join(', ')}`);
  return [
    `${paint.bold(config.name)}: ${count(services.length, 'service')}, ${count(config.waves.length, 'wave')}`,
    ...table(rows, 'lllll'),
    ...waves,
    describeAsked(backends),
    `${paint.green(`${file} is valid`)}${warned === 0 ? '' : `, with ${count(warned, 'warning')}`}`,
  ];
}

function describeAsked(backends: Result['backends']): string {
  if (backends === null) return '  balancers: not asked (--offline)';
  const silent = backends.filter((check) => check.state === 'unreachable').length;
  const answered = `${backends.length - silent} of ${count(backends.length, 'backend')} read`;
  return `  balancers: ${answered}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
