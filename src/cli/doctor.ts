import { dirname } from 'node:path';
import type { Command } from 'commander';
import type { Parsed } from '../config/parse.ts';
import { formatProblem } from '../config/problem.ts';
import type { Config } from '../core/fleet/config.ts';
import { CliError, type Context } from './context.ts';
import { allowancesAt, examineBalancer } from './doctor/balancers.ts';
import { examineCopies } from './doctor/copies.ts';
import { type Allowance, type Diagnosis, type Section, trouble, verdictOf, warning, well } from './doctor/diagnosis.ts';
import { allowancesOf, examineService } from './doctor/services.ts';
import { examineState } from './doctor/state.ts';
import { diagnosisLines } from './doctor/view.ts';
import { journalOption } from './journal/open.ts';
import { journalPath } from './journal/path.ts';
import { configOption, readConfig, shownPath } from './load-config.ts';
import { paintFor } from './terminal/paint.ts';
import { columnsOf } from './terminal/text.ts';

type DoctorOptions = { readonly config?: string; readonly journal?: string; readonly json?: true };

/** `drover doctor`: whether a rollout could work here and now, and what is missing. Reads only. */
export function addDoctor(program: Command, context: Context): void {
  program
    .command('doctor')
    .description('examine configuration, state, balancers and groups: could a rollout work here? reads only')
    .argument('[SERVICE...]', 'only these services and their balancers (default: all)')
    .option(...configOption)
    .option(...journalOption)
    .option('--json', 'one object (docs/reference/doctor.md)')
    .addHelpText('after', examples)
    .action((services: string[], options: DoctorOptions) => doctor(context, services, options));
}

const examples = `
Exit status: 0 a rollout can work or nothing is left to move (there may be warnings), 2 something keeps one from
working, 1 an error.

Examples:
  drover doctor
  drover doctor query
  drover doctor --json | jq -r '.sections[].checks[] | select(.level == "trouble") | .what'
`;

async function doctor(context: Context, names: readonly string[], options: DoctorOptions): Promise<void> {
  const diagnosis = await diagnose(context, names, options);
  if (options.json === true) context.stdout.write(`${JSON.stringify(diagnosis)}\n`);
  else {
    const lines = diagnosisLines(diagnosis, paintFor(context), columnsOf(context));
    context.stdout.write(`${lines.join('\n')}\n`);
  }
  context.setExitCode(diagnosis.verdict === 'trouble' ? 2 : 0);
}

async function diagnose(context: Context, names: readonly string[], options: DoctorOptions): Promise<Diagnosis> {
  const journal = journalPath(context, options);
  const copies = await examineCopies(context, journal);
  const read = await readConfig(context, options.config).catch((error: unknown) => {
    // Copies of Kafka data need no configuration.
    if (copies.length > 0 && options.config === undefined && names.length === 0) return null;
    throw error;
  });
  if (read === null) return { verdict: verdictOf(copies), sections: copies, allow: [] };
  const { file, parsed } = read;
  const shown = shownPath(context.directory, dirname(journal));
  const state = await examineState(context, journal, shown, parsed.ok ? parsed.config : null);
  const sections: Section[] = [configurationSection(file, parsed), state.section, ...copies];
  if (!parsed.ok) return { verdict: verdictOf(sections), sections, allow: [] };
  const { config } = parsed;
  const services = chosenServices(config, names);
  for (const balancer of balancersOf(config, services))
    sections.push(...(await examineBalancer(context, balancer, dirname(journal), state.isControlled)));
  for (const name of services) {
    sections.push(await examineService(context, config, name, dirname(journal), state));
  }
  return {
    verdict: verdictOf(sections),
    sections,
    allow: await allowances(context, config, services, dirname(journal)),
  };
}

function configurationSection(file: string, parsed: Parsed): Section {
  const problems = parsed.ok ? [] : parsed.problems.map((problem) => trouble(formatProblem(problem), null));
  const warnings = parsed.warnings.map((problem) => warning(formatProblem(problem), null));
  const checks = [...problems, ...warnings];
  if (!parsed.ok) {
    return {
      kind: 'configuration',
      name: file,
      checks: [...checks, warning('the rest was not examined', 'put it right first')],
    };
  }
  const { services, waves } = parsed.config;
  const size = `${counted(Object.keys(services).length, 'service')}, ${counted(waves.length, 'wave')}`;
  return { kind: 'configuration', name: file, checks: [well(`valid: ${size}`), ...checks] };
}

function counted(number: number, what: string): string {
  return `${number === 0 ? 'no' : number} ${what}${number === 1 ? '' : 's'}`;
}

function chosenServices(config: Config, names: readonly string[]): readonly string[] {
  const all = Object.keys(config.services);
  const missing = names.find((name) => !all.includes(name));
  if (missing !== undefined) {
    throw new CliError(`there is no service "${missing}" in the configuration`, `it has: ${all.join(', ')}`);
  }
  return names.length === 0 ? all : names;
}

function balancersOf(config: Config, services: readonly string[]) {
  const used = new Set(
    services.flatMap((name) => config.services[name]?.traffic.map(({ balancer }) => balancer) ?? []),
  );
  return Object.values(config.balancers).filter(({ name }) => used.has(name));
}

async function allowances(
  context: Context,
  config: Config,
  services: readonly string[],
  stateDirectory: string,
): Promise<Allowance[]> {
  const atBalancers = await Promise.all(balancersOf(config, services).map(allowancesAt));
  return [
    ...atBalancers.flat(),
    ...services.flatMap((name) => allowancesOf(config, name)),
    {
      what: `write ${shownPath(context.directory, stateDirectory)}`,
      how: `the only place that Drover writes to on this machine; mode 0700, owned by the user who runs it (${context.user})`,
    },
  ];
}
