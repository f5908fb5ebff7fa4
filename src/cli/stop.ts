import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../core/fleet/config.ts';
import { hasEnded } from '../core/rollout/state.ts';
import { PortError } from '../engine/ports.ts';
import { CliError, type Context, type StartedHere } from './context.ts';
import { openDesk } from './controller/desk.ts';
import { rolloutsOf } from './journal/history.ts';
import { expectDirectory, journalOption, lookIntoJournal } from './journal/open.ts';
import { journalPath } from './journal/path.ts';
import { configOption, loadConfig } from './load-config.ts';
import { ask } from './terminal/ask.ts';

type StopOptions = {
  readonly config?: string;
  readonly journal?: string;
  readonly yes?: true;
  readonly json?: true;
};

/** `drover stop`: ends what Drover itself started on this machine, and nothing else. */
export function addStop(program: Command, context: Context): void {
  program
    .command('stop')
    .description('end the local instances and embedded balancers that Drover started here, and nothing else')
    .argument('[SERVICE...]', 'only those of these services (default: all of the state directory)')
    .option('--yes', 'without being asked')
    .option(...configOption)
    .option(...journalOption)
    .option('--json', 'one object (docs/reference/stop.md)')
    .addHelpText('after', examples)
    .action((services: string[], options: StopOptions) => stop(context, services, options));
}

const examples = `
The services do not answer any more afterwards. Refused while a controller is alive. The journal stays.
Exit status: 0 all of it has ended (or nothing ran), 1 refused, or something is left.

Examples:
  drover stop
  drover stop query --yes
  drover stop --yes --json | jq -r '.ended[].name'
`;

async function stop(context: Context, names: readonly string[], options: StopOptions): Promise<void> {
  const { config } = await loadConfig(context, options.config);
  const chosen = chosenOf(config, names);
  const stateDirectory = dirname(journalPath(context, options));
  expectDirectory(stateDirectory);
  const unfinished = await warningsOf(context, options);
  if (!existsSync(stateDirectory)) return tell(context, options, [], []);
  // Held to the end, so that no controller begins to start again what is being ended.
  const desk = await openDesk(context, { controlSocket: join(stateDirectory, 'control.sock') });
  try {
    const running = (await context.world.startedHere(stateDirectory)).filter((one) => isChosen(chosen, one));
    if (running.length > 0) {
      await confirm(context, config, options, running, unfinished);
    }
    const left = await context.world.endStarted(stateDirectory, chosen);
    const gone = running.filter(({ pid }) => !left.includes(pid));
    tell(context, options, gone, left);
  } finally {
    await desk.close();
  }
}

/** What the journal says against it. One that cannot be read keeps nothing running. */
async function warningsOf(context: Context, options: StopOptions): Promise<string[]> {
  try {
    const { journal } = await lookIntoJournal(context, options);
    const past = await rolloutsOf(context.world, journal, null).finally(() => journal?.close());
    const unfinished = past.map(({ state }) => state).filter((state) => !hasEnded(state));
    return unfinished.map(
      ({ operation }) =>
        `${operation} is unfinished. When \`drover apply\` goes on, it is likely to be taken back: its destination is gone`,
    );
  } catch (error) {
    if (!(error instanceof PortError || error instanceof CliError)) throw error;
    const warning = `whether a rollout is unfinished is not known: ${error.message}`;
    if (options.yes === true) context.stderr.write(`drover: ${warning}\n`);
    return [warning];
  }
}

/** null: everything, also what the configuration does not name any more. */
type Chosen = { readonly groups: readonly string[]; readonly balancers: readonly string[] } | null;

function chosenOf(config: Config, names: readonly string[]): Chosen {
  if (names.length === 0) return null;
  const services = names.map((name) => {
    const service = config.services[name];
    if (service !== undefined) return service;
    const known = Object.keys(config.services).join(', ');
    throw new CliError(`there is no service "${name}" in the configuration`, `it has: ${known}`);
  });
  return {
    groups: services.flatMap(({ name }) => [`${name}.origin`, `${name}.destination`]),
    // An embedded balancer carries one service only.
    balancers: services.flatMap(({ traffic }) => traffic.map(({ balancer }) => balancer)),
  };
}

function isChosen(chosen: Chosen, { kind, of }: StartedHere): boolean {
  return chosen === null || (kind === 'instance' ? chosen.groups : chosen.balancers).includes(of);
}

async function confirm(
  context: Context,
  config: Config,
  options: StopOptions,
  running: readonly StartedHere[],
  warnings: readonly string[],
): Promise<void> {
  if (options.yes === true) return;
  const remedy = 'add --yes';
  if (context.stdout.terminal === null || options.json === true)
    throw new CliError(`${count(running)} would be ended, and nothing was done`, remedy);
  const lines = running.map((one) => `  ${describe(one)}`);
  context.stdout.write(
    `These run, and answer nobody afterwards:\n${lines.join('\n')}\n${warnings.map((line) => `${line}\n`).join('')}`,
  );
  const typed = await ask(context, `Type the name of the fleet (${config.name}) to end them: `, remedy);
  if (typed !== config.name) throw new CliError('the name was not typed, and nothing was done');
}

function tell(context: Context, options: StopOptions, ended: readonly StartedHere[], left: readonly number[]): void {
  context.setExitCode(left.length === 0 ? 0 : 1);
  if (options.json === true) {
    const shown = ended.map(({ kind, name, pid }) => ({ kind, name, pid }));
    context.stdout.write(`${JSON.stringify({ ended: shown, left })}\n`);
    return;
  }
  const lines = ended.map((one) => `ended  ${describe(one)}`);
  if (left.length > 0) lines.push(`LEFT   pid ${left.join(', ')}: not even SIGKILL ended it; look what holds it`);
  context.stdout.write(`${lines.length === 0 ? 'nothing that Drover started runs here' : lines.join('\n')}\n`);
}

function describe({ kind, name, pid }: StartedHere): string {
  return `${kind === 'instance' ? 'instance' : 'embedded balancer'} ${name} (pid ${pid})`;
}

function count(running: readonly StartedHere[]): string {
  const instances = running.filter(({ kind }) => kind === 'instance').length;
  const balancers = running.length - instances;
  return `${instances} instance${instances === 1 ? '' : 's'} and ${balancers} embedded balancer${balancers === 1 ? '' : 's'}`;
}
