import { Argument, type Command } from 'commander';
import { bashScript } from './completion/bash.ts';
import { fishScript } from './completion/fish.ts';
import { commandTree } from './completion/tree.ts';
import { zshScript } from './completion/zsh.ts';
import type { Context } from './context.ts';

/** `drover completion SHELL`: prints a script that completes drover's command line. Exit 0 printed, 1 no such shell. */
export function addCompletion(program: Command, context: Pick<Context, 'stdout'>): void {
  program
    .command('completion')
    .description('print completions for a shell')
    .addArgument(new Argument('<SHELL>', 'which shell').choices(Object.keys(scripts)))
    .addHelpText('after', help)
    .action((shell: keyof typeof scripts) => {
      context.stdout.write(scripts[shell](commandTree(program)));
    });
}

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };

const help = `
Verbs, options and their choices, files, and the services and waves of drover.yaml. The balancers are left alone.

Exit status: 0 printed, 1 not.

Examples:
  source <(drover completion bash)      now; as a line of ~/.bashrc: in every shell
  source <(drover completion zsh)       as a line of ~/.zshrc, after compinit
  drover completion fish > ~/.config/fish/completions/drover.fish
`;
