import { type Operand, type OptionWord, type Tree, type Value, type Verb, verbsBelow } from './tree.ts';

/** Works as a file `_drover` of $fpath, and sourced after compinit. */
export function zshScript(tree: Tree): string {
  const first = tree.verbs.filter(({ name }) => !name.includes(' '));
  return `#compdef drover
# Completions of drover for zsh, printed by: drover completion zsh

_drover() {
  local program=$words[1] curcontext=$curcontext state line
  local -A opt_args
  _arguments -C \\
${[...tree.options.map(optionSpec), "'1: :->verb'", "'*:: :->rest'"].map((spec) => `    ${spec}`).join(' \\\n')} && return
  case $state in
    verb)
      local -a verbs=(
${first.map(({ name, description }) => `        ${quoted(`${name}:${description}`)}`).join('\n')}
      )
      _describe -t verbs verb verbs
      ;;
    rest)
      case $words[1] in
${first.map((verb) => restOf(tree, verb)).join('\n')}
      esac
      ;;
  esac
}

# The names that drover.yaml has; the last argument says of what.
_drover_names() {
  local -a config names
  local at=\${words[(i)--config]} joined=\${words[(r)--config=*]}
  if (( at < CURRENT - 1 )); then config=(--config \${~\${(Q)words[at + 1]}}); fi
  if [[ -n $joined ]]; then config=(--config \${~\${(Q)joined#--config=}}); fi
  names=(\${(f)"$($program completion names $argv[-1] $config 2>/dev/null)"})
  compadd "\${@[1,-2]}" -a names
}

if [[ $funcstack[1] == _drover ]]; then _drover "$@"; else compdef _drover drover; fi
`;
}

function restOf(tree: Tree, verb: Verb): string {
  const below = verbsBelow(tree, verb.name);
  const lines = [`        ${verb.name})`];
  for (const inner of below) {
    const word = inner.name.slice(verb.name.length + 1);
    lines.push(
      `          if (( \${words[(i)${word}]} > 1 && \${words[(i)${word}]} < CURRENT )); then`,
      specsOf(
        inner.options,
        ["'1: : '", ...inner.operands.map((operand, index) => operandSpec(operand, index + 2))],
        12,
      ),
      '            return',
      '          fi',
    );
  }
  const words = below.map((inner) => inner.name.slice(verb.name.length + 1)).join(' ');
  const operands =
    words === '' ? verb.operands.map((each, index) => operandSpec(each, index + 1)) : [`'1:verb:(${words})'`];
  lines.push(specsOf(verb.options, operands, 10), '          ;;');
  return lines.join('\n');
}

function specsOf(options: readonly OptionWord[], operands: readonly string[], indent: number): string {
  const specs = [...options.map(optionSpec), ...operands];
  const pad = ' '.repeat(indent);
  return `${pad}_arguments -s ${specs.map((spec) => `\\\n${pad}  ${spec}`).join(' ')}`;
}

function optionSpec({ flag, description, value }: OptionWord): string {
  const told = `[${description.replace(/[[\]\\]/g, '\\$&')}]`;
  // An option may always be given again: some are meant to be, and the others are refused by themselves.
  return quoted(value === null ? `${flag}${told}` : `*${flag}=${told}:${message(value.label)}:${action(value)}`);
}

function operandSpec(operand: Operand, position: number): string {
  return quoted(`${operand.repeats ? '*' : position}:${message(operand.label)}:${action(operand)}`);
}

function message(label: string): string {
  return label.replace(/[:\\]/g, '\\$&');
}

function action(value: Value): string {
  switch (value.kind) {
    case 'file':
      return '_files';
    case 'directory':
      return '_files -/';
    case 'names':
      return `_drover_names ${value.of}`;
    case 'choices':
      return `(${value.choices.join(' ')})`;
    case 'text':
      return ' ';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
