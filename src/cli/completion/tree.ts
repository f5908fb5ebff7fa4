import type { Argument, Command, Option } from 'commander';

/** The command line as completions need it: what can stand where. */
export type Tree = { readonly verbs: readonly Verb[]; readonly options: readonly OptionWord[] };

export type Verb = {
  /** `journal export`: one word, or two where the first has verbs of its own. */
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWord[];
  readonly operands: readonly Operand[];
};

export type OptionWord = {
  readonly flag: string;
  readonly description: string;
  /** null: it takes none. */
  readonly value: (Value & { readonly label: string }) | null;
};

export type Operand = Value & { readonly label: string; readonly repeats: boolean };

/** `names`: those that drover.yaml has. `text`: nobody can know it. */
export type Value =
  | { readonly kind: 'file' | 'directory' | 'text' }
  | { readonly kind: 'names'; readonly of: 'services' | 'waves' }
  | { readonly kind: 'choices'; readonly choices: readonly string[] };

export function commandTree(program: Command): Tree {
  const verbs = program.commands.flatMap((command) => [command, ...command.commands]).map(verbOf);
  return { verbs, options: [...program.options.map(optionWord), helpOption] };

  function verbOf(command: Command): Verb {
    const { parent } = command;
    return {
      name: parent === null || parent === program ? command.name() : `${parent.name()} ${command.name()}`,
      description: command.description(),
      options: [...command.options.filter(({ hidden }) => !hidden).map(optionWord), helpOption],
      operands: command.registeredArguments.map(operand),
    };
  }
}

/** The second words of a verb that has verbs of its own. */
export function verbsBelow({ verbs }: Tree, name: string): Verb[] {
  return verbs.filter((verb) => verb.name.startsWith(`${name} `));
}

const helpOption: OptionWord = { flag: '--help', description: 'say what it does, with examples', value: null };

function optionWord({ long, short, description, flags, argChoices }: Option): OptionWord {
  const label = /[<[]([^>\]]+?)(?:\.\.\.)?[>\]]/.exec(flags)?.[1] ?? null;
  const value = label === null ? null : { ...whatCompletes(label, argChoices), label };
  return { flag: long ?? short ?? flags, description, value };
}

function operand(argument: Argument): Operand {
  const label = argument.name();
  return { ...whatCompletes(label, argument.argChoices), label, repeats: argument.variadic };
}

function whatCompletes(label: string, choices: readonly string[] | undefined): Value {
  if (choices !== undefined) return { kind: 'choices', choices };
  const found = values.get(label.toLowerCase());
  if (found === undefined) throw new Error(`what completes ${label}? src/cli/completion/tree.ts has to say`);
  return found;
}

/** By the word that help has for it. A socket is a file; HOST:PORT nobody can know. A rollout may be called by its service. */
const values: ReadonlyMap<string, Value> = new Map<string, Value>([
  ...each(['file', 'path', 'out', 'export', 'haproxy.cfg', 'socket', 'socket|host:port'], { kind: 'file' }),
  // A file, or one of two words that nobody needs completed.
  ...each(['order'], { kind: 'file' }),
  ...each(['directory'], { kind: 'directory' }),
  ...each(['service', 'rollout'], { kind: 'names', of: 'services' }),
  ...each(['copy'], { kind: 'text' }),
  ...each(['wave'], { kind: 'names', of: 'waves' }),
  ...each(['name', 'glob', 'hash', 'text', 'url', 'seq', 'operation', 'p', 'ratio', 'phi', 'rate'], { kind: 'text' }),
  ...each(['bootstrap', 'regex', 'beginning', 'time', 'number', 'size', 'address', 'topic', 'topic:partition:offset'], {
    kind: 'text',
  }),
]);

function each(labels: readonly string[], value: Value): [string, Value][] {
  return labels.map((label) => [label, value]);
}
