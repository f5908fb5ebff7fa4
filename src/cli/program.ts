import { Command } from 'commander';
import { addApply } from './apply.ts';
import { addCheck } from './check.ts';
import { addCompletion } from './completion.ts';
import type { Context } from './context.ts';
import { addDemo } from './demo.ts';
import { addDoctor } from './doctor.ts';
import { addInit } from './init.ts';
import { addJournal } from './journal.ts';
import { addJudge } from './judge.ts';
import { addKafka } from './kafka.ts';
import { addObserve } from './observe.ts';
import { addOperators } from './operators.ts';
import { addOrder } from './order.ts';
import { addPlan } from './plan.ts';
import { addStatus } from './status.ts';
import { addStop } from './stop.ts';
import { packageVersion } from './version.ts';
import { addWhy } from './why.ts';

/** The whole command line: each verb adds itself. */
export function buildProgram(context: Context): Command {
  const program = new Command('drover')
    .description('Moves a fleet of services from one environment to another, and can always drive it back.')
    .version(packageVersion(), '--version', 'print the version')
    .showSuggestionAfterError(true)
    // As everything else that goes wrong begins.
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'drover: ')) });
  addInit(program, context);
  addCheck(program, context);
  addDoctor(program, context);
  addObserve(program, context);
  addOrder(program, context);
  addPlan(program, context);
  addApply(program, context);
  addStatus(program, context);
  addOperators(program, context);
  addStop(program, context);
  addWhy(program, context);
  addJudge(program, context);
  addJournal(program, context);
  addKafka(program, context);
  addDemo(program, context);
  addCompletion(program, context);
  refuseOtherVerbs(program);
  return program;
}

/** A verb that is like none of these is answered with all of them. */
function refuseOtherVerbs(program: Command): void {
  const verbs = program.commands.map((command) => command.name());
  program.showHelpAfterError(`(it has: ${verbs.join(' ')}; add --help for examples)`);
  for (const command of program.commands) showHelpHint(command);
}

function showHelpHint(command: Command): void {
  command.showHelpAfterError('(add --help for examples)');
  for (const below of command.commands) showHelpHint(below);
}
