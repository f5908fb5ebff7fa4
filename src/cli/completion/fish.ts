import { type Tree, type Value, type Verb, verbsBelow } from './tree.ts';

/** For fish 3.0 and newer: a line for each verb, option and operand. */
export function fishScript(tree: Tree): string {
  const first = tree.verbs.filter(({ name }) => !name.includes(' '));
  return `# Completions of drover for fish, printed by: drover completion fish

# The verb that was typed, with its second word where it has one.
function __drover_verb
    set -l words (commandline -opc)
    set -l verb $words[2]
${first.flatMap((verb) => verbsBelow(tree, verb.name).map(secondWord)).join('\n')}
    echo "$verb"
end

# The names that drover.yaml has, of the kind that is named.
function __drover_names
    set -l words (commandline -opc)
    set -l config
    set -l before ''
    for word in $words
        test "$before" = --config; and set config --config (string replace -r '^~' $HOME -- $word)
        string match -q -- '--config=*' $word; and set config --config (string replace -- --config= '' $word)
        set before $word
    end
    $words[1] completion names $argv[1] $config 2>/dev/null
end

complete -c drover -f
${tree.options.map(({ flag, description }) => line('', `-l ${flag.slice(2)}`, description)).join('\n')}
${first.map(({ name, description }) => line('', `-a ${name}`, description)).join('\n')}
${tree.verbs.map((verb) => linesOf(tree, verb)).join('\n')}
`;
}

function secondWord({ name }: Verb): string {
  const [verb, second] = name.split(' ');
  return `    test "$verb" = ${verb}; and contains -- ${second} $words; and set verb '${name}'`;
}

function linesOf(tree: Tree, verb: Verb): string {
  const lines = verb.options.map(({ flag, description, value }) =>
    line(verb.name, `-l ${flag.slice(2)}${value === null ? '' : ` ${offer(value, true)}`}`, description),
  );
  const below = verbsBelow(tree, verb.name);
  for (const inner of below) lines.push(line(verb.name, `-a ${inner.name.split(' ')[1]}`, inner.description));
  if (below.length === 0) {
    for (const operand of verb.operands.filter(({ kind }) => kind !== 'text')) {
      lines.push(line(verb.name, offer(operand, false), operand.label));
    }
  }
  return lines.join('\n');
}

/** `required`: it is the value of an option, which cannot be without one. */
function offer(value: Value, required: boolean): string {
  switch (value.kind) {
    case 'file':
      return required ? '-r -F' : '-F';
    case 'directory':
      return `${required ? '-x ' : ''}-a '(__fish_complete_directories (commandline -ct))'`;
    case 'names':
      return `${required ? '-x ' : ''}-a '(__drover_names ${value.of})'`;
    case 'choices':
      return `${required ? '-x ' : ''}-a '${value.choices.join(' ')}'`;
    case 'text':
      return required ? '-x' : '';
  }
}

function line(verb: string, what: string, description: string): string {
  const condition = `string match -q -- "${verb}" (__drover_verb)`;
  return `complete -c drover -n '${condition}' ${what} -d ${quoted(description)}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
