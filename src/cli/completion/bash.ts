import { type Tree, type Value, type Verb, verbsBelow } from './tree.ts';

/** For bash 4.4 and newer. Everything but the names of drover.yaml is in the script: a key is answered without a process. */
export function bashScript(tree: Tree): string {
  return `${reading}
_drover_has() {
  case $1 in
    ${patterns(tree.verbs.filter(({ name }) => name.includes(' ')).map(({ name }) => name))}) return 0 ;;
  esac
  return 1
}

# What stands after an option.
_drover_value() {
  value=
  case $1 in
${cases(optionValues(tree.verbs))}
  esac
}

_drover_options() {
  case $1 in
    '') value='words ${flags(tree)}' ;;
${tree.verbs.map((verb) => `    '${verb.name}') value='words ${flags(verb)}' ;;`).join('\n')}
  esac
}

_drover_operand() {
  case "$1 $2" in
    ' 0') value='words ${firstWords(tree).join(' ')}' ;;
${cases(operandValues(tree))}
  esac
}

complete -F _drover drover
`;
}

/** Reads the line up to the cursor, and then offers what can stand there. The functions below it have the facts. */
const reading = `# Completions of drover for bash, printed by: drover completion bash

_drover() {
  local program=$1 current=\${COMP_WORDS[COMP_CWORD]} verb= option= value= config= ended= operands=0 IFS=$' \\t\\n' i word
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    # --option=value comes as three words, and so does host:port.
    if [[ $word == '=' ]]; then continue; fi
    if [[ $word == ':' ]]; then ((i += 1)); continue; fi
    if [[ -n $value ]]; then
      if [[ $option == --config ]]; then config=\${word/#\\~/$HOME}; fi
      value=
    elif [[ -z $ended && $word == -- ]]; then ended=yes
    elif [[ -z $ended && $word == -* ]]; then
      option=$word
      _drover_value "$verb $option"
    elif [[ -z $verb ]]; then verb=$word
    elif ((operands == 0)) && _drover_has "$verb $word"; then verb="$verb $word"
    else ((operands += 1)); fi
  done
  if [[ $current == '=' ]]; then current=; fi
  if [[ -z $value ]]; then
    if [[ -z $ended && $current == -* ]]; then _drover_options "$verb"
    else _drover_operand "$verb" "$operands"; fi
  fi
  case $value in
    file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); compopt -o filenames 2>/dev/null ;;
    directory) mapfile -t COMPREPLY < <(compgen -d -- "$current"); compopt -o filenames 2>/dev/null ;;
    services | waves) _drover_offer "$current" $("$program" completion names "$value" \${config:+--config "$config"} 2>/dev/null) ;;
    'words '*) _drover_offer "$current" \${value#words } ;;
  esac
}

_drover_offer() {
  local current=$1 word
  shift
  for word; do if [[ $word == "$current"* ]]; then COMPREPLY+=("$word"); fi; done
}
`;

type Case = readonly [pattern: string, value: string];

/** Patterns of the same value in one line. */
function cases(all: readonly Case[]): string {
  const grouped = Map.groupBy(all, ([, value]) => value);
  return [...grouped]
    .map(([value, members]) => `    ${members.map(([pattern]) => pattern).join(' | ')}) value='${value}' ;;`)
    .join('\n');
}

function patterns(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(' | ');
}

function optionValues(verbs: readonly Verb[]): Case[] {
  return verbs.flatMap(({ name, options }) =>
    options.flatMap(({ flag, value }) => (value === null ? [] : [[`'${name} ${flag}'`, wordFor(value)] as const])),
  );
}

function operandValues(tree: Tree): Case[] {
  return tree.verbs.flatMap(({ name, operands }) => {
    const below = verbsBelow(tree, name).map((verb) => verb.name.slice(name.length + 1));
    if (below.length > 0) return [[`'${name} 0'`, `words ${below.join(' ')}`] as const];
    return operands.map(
      (operand, index) => [operand.repeats ? `'${name} '*` : `'${name} ${index}'`, wordFor(operand)] as const,
    );
  });
}

function wordFor(value: Value): string {
  if (value.kind === 'choices') return `words ${value.choices.join(' ')}`;
  return value.kind === 'names' ? value.of : value.kind;
}

function flags({ options }: Pick<Verb, 'options'>): string {
  return options.map(({ flag }) => flag).join(' ');
}

function firstWords({ verbs }: Tree): string[] {
  return verbs.map(({ name }) => name).filter((name) => !name.includes(' '));
}
