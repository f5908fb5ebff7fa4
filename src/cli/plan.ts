import type { Command } from 'commander';
import { chosenWords, commandAt } from './command-at.ts';
import type { Context } from './context.ts';
import { journalOption, lookIntoJournal } from './journal/open.ts';
import { configOption, loadConfig } from './load-config.ts';
import { chooseServices, planDocument } from './plan/document.ts';
import { unfinishedRollout } from './plan/unfinished.ts';
import { planLines } from './plan/view.ts';
import { paintFor } from './terminal/paint.ts';
import { columnsOf } from './terminal/text.ts';

type PlanOptions = {
  readonly config?: string;
  readonly journal?: string;
  readonly wave?: string;
  readonly json?: true;
};

/** `drover plan`: what `apply` would do, under a hash that `apply` asks for. */
export function addPlan(program: Command, context: Context): void {
  program
    .command('plan')
    .description('show what apply would change, how the judge would see it, and the way back')
    .argument('[SERVICE...]', 'services to move, in this order (default: what is left of the first unfinished wave)')
    .option('--wave <WAVE>', 'the services of this wave')
    .option(...configOption)
    .option(...journalOption)
    .option('--json', 'the plan as JSON (docs/reference/plan.md)')
    .addHelpText('after', examples)
    .action((services: string[], options: PlanOptions) => plan(context, services, options));
}

const examples = `
Reads only. The hash covers intent and configuration, not counts or sizes: autoscaling does not stale it.
While a rollout is unfinished, \`apply\` goes on with it and refuses every other plan: the last lines say how.
Exit status: 2 changes pending, 1 refused or an error.

Examples:
  drover plan                     the next wave
  drover plan query               one service
  drover plan --json | jq -r .hash
`;

async function plan(context: Context, names: readonly string[], options: PlanOptions): Promise<void> {
  const { config } = await loadConfig(context, options.config);
  const { journal, stateDirectory } = await lookIntoJournal(context, options);
  try {
    const choice = await chooseServices(context, config, journal, names, options.wave);
    const document = await planDocument(context, config, choice, journal, stateDirectory);
    const command = commandAt(options);
    const unfinished = await unfinishedRollout(context, config, journal, stateDirectory, command);
    if (options.json) context.stdout.write(`${JSON.stringify({ ...document, unfinished })}\n`);
    else {
      const lines = planLines(
        document,
        paintFor(context),
        columnsOf(context),
        command,
        chosenWords(names, options.wave),
        unfinished,
      );
      context.stdout.write(`${lines.join('\n')}\n`);
    }
    // What would be refused now is refused because a rollout is under way, and that one is what is pending.
    const isRefused = unfinished === null && document.services.some((service) => service.refusals.length > 0);
    context.setExitCode(isRefused ? 1 : 2);
  } finally {
    await journal?.close();
  }
}
