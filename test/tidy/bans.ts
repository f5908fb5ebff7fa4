import type { SourceFile } from './files.ts';
import { functionsOf } from './functions.ts';
import { importsOf } from './imports.ts';
import { type Rule, tokensOf, type Violation } from './rule.ts';
import { codeOf, type Token } from './tokens.ts';

const linesOfFileMax = 500;
const linesOfFunctionMax = 70;

/** Names that only the world outside can give meaning to, and where to get what they would have given. */
const impure: Readonly<Record<string, string>> = {
  async: 'a pure function that returns what to do as data; src/engine performs it',
  await: 'a pure function that returns what to do as data; src/engine performs it',
  Promise: 'a pure function that returns what to do as data; src/engine performs it',
};

/** Names of the clock, of chance and of the machine: parameters in everything that the simulator runs. */
const worldly: Readonly<Record<string, string>> = {
  Date: 'milliseconds as an argument (nowMs)',
  performance: 'milliseconds as an argument (nowMs)',
  setTimeout: 'a wakeAtMs in the decision, or clock.sleep of src/engine/ports.ts',
  setInterval: 'a wakeAtMs in the decision, or clock.sleep of src/engine/ports.ts',
  setImmediate: 'a wakeAtMs in the decision, or clock.sleep of src/engine/ports.ts',
  queueMicrotask: 'a wakeAtMs in the decision, or clock.sleep of src/engine/ports.ts',
  console: 'an event or a value in the result; src/cli prints',
  fetch: 'an observation as an argument; src/io asks the world',
  crypto: 'a Sha256 of src/core/journal/entry.ts, or an id, as an argument',
  randomUUID: 'an id as an argument',
  randomBytes: 'a seeded generator as an argument',
  randomInt: 'a seeded generator as an argument',
  getRandomValues: 'a seeded generator as an argument',
  globalThis: 'an argument',
  require: 'an import',
  Intl: 'figures and names put together here: language and time zone are the machine’s',
};
const worldlyMembers: Readonly<Record<string, readonly [member: RegExp, instead: string]>> = {
  Math: [/^random$/, 'a random number, or a seeded generator, as an argument'],
  AbortSignal: [/^timeout$/, 'an AbortController that clock.sleep ends'],
  // `process` is a word of the domain as well (a balancer's process), so only Node's members of it are the other thing.
  process: [
    /^(arch|argv|cwd|emit|emitWarning|env|execPath|exit|exitCode|hrtime|kill|memoryUsage|nextTick|off|on|once|pid|platform|ppid|stderr|stdin|stdout|umask|uptime|versions?)$/,
    'a value as an argument',
  ],
};

/** Simulated time has to know when the promises of a moment have settled: these order turns and tell no time. */
const turns = new Set(
  ['setImmediate', 'queueMicrotask'].map((name) => `${name} in what the simulator runs`).concat('process.nextTick'),
);

export const purity: Rule = (file) => {
  if (!file.path.startsWith('src/core/')) return [];
  return [
    ...bannedNames(file, impure, 'the core'),
    ...bannedNames(file, worldly, 'the core'),
    ...members(file),
    ...elsewhere(file),
  ];
};

export const determinism: Rule = (file) => {
  // A bench looks at the clock; its chance has a seed, so that a figure can be had again.
  if (file.path.startsWith('bench/')) return members(file).filter(({ found }) => found === 'Math.random');
  if (!/^src\/(engine|sim)\//.test(file.path)) return [];
  const found = [...bannedNames(file, worldly, 'what the simulator runs'), ...members(file), ...elsewhere(file)];
  return file.path.startsWith('src/sim/') ? found.filter((violation) => !turns.has(violation.found)) : found;
};

export const sizes: Rule = (file) => {
  const lines = file.text.replace(/\n$/, '').split('\n').length;
  const whole =
    lines > linesOfFileMax
      ? [
          {
            path: file.path,
            line: linesOfFileMax + 1,
            found: `${lines} lines (at most ${linesOfFileMax})`,
            instead: 'a file for each concept in it',
          },
        ]
      : [];
  const functions = functionsOf(tokensOf(file))
    .filter((span) => span.lines > linesOfFunctionMax)
    .map((span) => ({
      path: file.path,
      line: span.line,
      found: `${span.name} has ${span.lines} lines (at most ${linesOfFunctionMax})`,
      instead: 'the ifs in the parent, straight-line leaves below it',
    }));
  return [...whole, ...functions];
};

export const noBarrels: Rule = (file) => {
  const importing = 'an import from the file that defines it';
  const named = /(^|\/)index\.(ts|tsx|mjs)$/.test(file.path)
    ? [
        {
          path: file.path,
          line: 1,
          found: 'a file called index',
          instead: `a name for what is in it, and ${importing}`,
        },
      ]
    : [];
  const reExports = importsOf(file)
    .filter(({ reExport }) => reExport)
    .map(({ line, specifier }) => ({
      path: file.path,
      line,
      found: `a re-export of ${specifier}`,
      instead: importing,
    }));
  return [...named, ...reExports];
};

export const noWaysAroundTypes: Rule = (file) => {
  const code = codeOf(tokensOf(file));
  return code.flatMap((token, at) => {
    const before = code[at - 1];
    const after = code[at + 1]?.text ?? '';
    const at_ = { path: file.path, line: token.line };
    if (token.text === 'any' && isFreeName(code, at)) {
      return [{ ...at_, found: 'any', instead: 'unknown, parsed at the edge, or the real type' }];
    }
    if (token.text === 'as' && after === 'unknown' && code[at + 2]?.text === 'as') {
      return [{ ...at_, found: 'as unknown as', instead: 'a type guard, or a type that needs no cast' }];
    }
    if (token.text === '!' && before !== undefined && endsValue(before)) {
      return [
        {
          ...at_,
          found: '! (not null, on trust)',
          instead: 'a check that narrows, and an error that says what was missing',
        },
      ];
    }
    return [];
  });
};

/** Tools that ask for a default export. */
const configurationFiles = /^[a-z]+\.config\.ts$/;

export const noDefaultExports: Rule = (file) => {
  if (configurationFiles.test(file.path)) return [];
  const code = codeOf(tokensOf(file));
  return code.flatMap((token, at) => {
    const exported = token.text === 'export' && code[at + 1]?.text === 'default';
    const renamed = token.text === 'as' && code[at + 1]?.text === 'default' && code[at + 2]?.text !== ':';
    if (!(exported || renamed) || code[at - 1]?.text === '.') return [];
    if (renamed && !isInExport(code, at)) return [];
    return [{ path: file.path, line: token.line, found: 'a default export', instead: 'an export with a name' }];
  });
};

export const tellingNames: Rule = (file) => {
  const instead = 'the name of the concept';
  const parts = file.path.replace(/\.\w+$/, '').split('/');
  const bad = parts.find((part) => /^(utils?|helpers?|common|misc|shared)$/i.test(part));
  const files = bad === undefined ? [] : [{ path: file.path, line: 1, found: `the name ${bad}`, instead }];
  const code = codeOf(tokensOf(file));
  const classes = code.flatMap((token, at) =>
    code[at - 1]?.text === 'class' && /(Manager|Service|Helper|Util)s?$/.test(token.text)
      ? [{ path: file.path, line: token.line, found: `class ${token.text}`, instead }]
      : [],
  );
  return [...files, ...classes];
};

function bannedNames(file: SourceFile, names: Readonly<Record<string, string>>, where: string): Violation[] {
  const code = codeOf(tokensOf(file));
  return code.flatMap((token, at) => {
    const instead = token.kind === 'word' && Object.hasOwn(names, token.text) ? names[token.text] : undefined;
    if (instead === undefined || !isFreeName(code, at)) return [];
    return [{ path: file.path, line: token.line, found: `${token.text} in ${where}`, instead }];
  });
}

function members(file: SourceFile): Violation[] {
  const code = codeOf(tokensOf(file));
  return code.flatMap((token, at) => {
    const ban =
      token.kind === 'word' && Object.hasOwn(worldlyMembers, token.text) ? worldlyMembers[token.text] : undefined;
    if (ban === undefined || !isFreeName(code, at)) return [];
    return membersTaken(code, at)
      .filter((member) => ban[0].test(member))
      .map((member) => ({ path: file.path, line: token.line, found: `${token.text}.${member}`, instead: ban[1] }));
  });
}

/** What a machine answers in its own language, and modules that are loaded when somebody runs. */
function elsewhere(file: SourceFile): Violation[] {
  const code = codeOf(tokensOf(file));
  return code.flatMap((token, at) => {
    const { text, line } = token;
    if (token.kind === 'word' && text === 'import' && code[at + 1]?.text === '(')
      return [{ path: file.path, line, found: 'import()', instead: 'an import' }];
    if (!/^(localeCompare|toLocale\w+)$/.test(text) || !/^\??\.$/.test(code[at - 1]?.text ?? '')) return [];
    return [
      { path: file.path, line, found: text, instead: 'a comparison by < and >, figures and names put together here' },
    ];
  });
}

/** `member` of `object.member` and `object['member']`, or the names between the braces of `const { name } = object`. */
function membersTaken(code: readonly Token[], at: number): string[] {
  const after = code[at + 1]?.text ?? '';
  if (after === '.' || after === '?.') return [code[at + 2]?.text ?? ''];
  if (after === '[') return [code[at + 2]?.text.slice(1, -1) ?? ''];
  if (code[at - 1]?.text !== '=' || code[at - 2]?.text !== '}') return [];
  const open = code.slice(0, at).findLastIndex((token) => token.text === '{');
  return code.slice(open + 1, at).flatMap((token) => (token.kind === 'word' ? [token.text] : []));
}

/** Not the name of a property: neither `x.name` nor `name:` nor `name?:` nor a method `name(…) {` of a type or class. */
function isFreeName(code: readonly Token[], at: number): boolean {
  const before = code[at - 1]?.text ?? '';
  const after = code[at + 1]?.text ?? '';
  if (before === '.' || before === '?.') return false;
  if (after === '?' && code[at + 2]?.text === ':') return false;
  return after !== ':' || before === '?' || before === 'case' || before === ':';
}

function endsValue(token: Token): boolean {
  if (token.kind === 'word')
    return !/^(return|typeof|case|in|of|delete|void|throw|else|do|await|yield|instanceof|if)$/.test(token.text);
  if (token.kind === 'template') return token.text.endsWith('`');
  return token.kind === 'string' || token.text === ')' || token.text === ']';
}

function isInExport(code: readonly Token[], at: number): boolean {
  const open = code.slice(0, at).findLastIndex((token) => token.text === '{');
  return code[open - 1]?.text === 'export';
}
