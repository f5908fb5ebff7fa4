/** Code that breaks each rule once, so that no rule can stop working unnoticed, and code that only looks as if it did. */
export type Planted = {
  readonly rule: string;
  readonly path: string;
  readonly text: string;
  readonly line: number;
  readonly found: string;
};

export const plantedFences: readonly Planted[] = [
  wall('src/core/a/x.ts', 'node:fs', 'core'),
  wall('src/core/a/x.ts', 'zod', 'core'),
  wall('src/core/a/x.ts', '../../engine/ports.ts', 'core'),
  wall('src/core/a/x.ts', '../../main.ts', 'core'),
  wall('src/engine/x.ts', '../io/clock.ts', 'engine'),
  wall('src/engine/x.ts', 'node:crypto', 'engine'),
  wall('src/engine/x.ts', '../cli/context.ts', 'engine'),
  wall('src/sim/x.ts', '../io/journal/sqlite.ts', 'sim'),
  wall('src/sim/x.ts', '../cli/context.ts', 'sim'),
  wall('src/sim/x.ts', 'node:fs', 'sim'),
  wall('src/sim/x.ts', '../io/kafka/wire/x.ts', 'sim'),
  wall('src/config/x.ts', '../engine/ports.ts', 'config'),
  wall('src/cli/x.ts', '../io/balancer/haproxy/socket.ts', 'cli'),
  wall('src/cli/x.ts', '../sim/world.ts', 'cli'),
  wall('src/cli/x.ts', '../main.ts', 'cli'),
  wall('src/server/x.ts', '../cli/context.ts', 'server'),
  wall('src/server/x.ts', '../io/clock.ts', 'server'),
  wall('src/io/balancer/x.ts', '../provider/local/group.ts', 'io/balancer'),
  wall('src/io/balancer/x.ts', '../../core/rollout/decide.ts', 'io/balancer'),
  wall('src/io/balancer/x.ts', '../../engine/loop.ts', 'io/balancer'),
  wall('src/io/balancer/x.ts', '../../config/load.ts', 'io/balancer'),
  wall('src/extra/x.ts', '../core/a.ts', 'a file outside of the rooms'),
  wall('examples/shop/x.ts', '../../src/core/a.ts', 'examples'),
  wall('bench/x.ts', '../test/judge/traffic.ts', 'bench'),
  wall('bench/x.ts', '../scripts/sim.ts', 'bench'),
  wall('bench/x.ts', '../test/integration/kafka/copying.ts', 'bench'),
  wall('src/sim/x.ts', '../../bench/frame/spread.ts', 'sim'),
  planted('fence', 'src/core/x.ts', "import type { Stats } from 'node:fs';", 'core imports node:fs'),
  planted('fence', 'src/cli/x.ts', "import type { A } from '../io/clock.ts';", 'cli imports ../io/clock.ts'),
  planted('fence', 'src/core/x.ts', "import 'node:fs';", 'core imports node:fs'),
  planted('fence', 'src/core/x.ts', "export const load = () => import('node:fs');", 'core imports node:fs'),
  planted('fence', 'src/core/x.ts', 'export const load = (a: string) => import(a);', 'core imports a'),
  planted('fence', 'src/core/x.ts', "export { a } from '../engine/a.ts';", 'core imports ../engine/a.ts'),
  planted(
    'fence',
    'src/core/x.ts',
    "import {\n  a,\n  type B,\n} from '../engine/a.ts';",
    'core imports ../engine/a.ts',
  ),
];

export const plantedCode: readonly Planted[] = [
  planted('purity', 'src/core/x.ts', '\nexport async function f() {}', 'async in the core', 2),
  planted('purity', 'src/core/x.ts', 'const a = await f();', 'await in the core'),
  planted('purity', 'src/core/x.ts', 'type A = Promise<number>;', 'Promise in the core'),
  planted('purity', 'src/core/x.ts', 'const a = new Date();', 'Date in the core'),
  planted('purity', 'src/core/x.ts', 'const a = { at: Date.now() };', 'Date in the core'),
  planted('purity', 'src/core/x.ts', 'const a = b ? Date : null;', 'Date in the core'),
  planted('purity', 'src/core/x.ts', 'const a = performance.now();', 'performance in the core'),
  planted('purity', 'src/core/x.ts', 'const a = Math.random();', 'Math.random'),
  planted('purity', 'src/core/x.ts', "const a = () => import('./b.ts');", 'import()'),
  planted('purity', 'src/core/x.ts', 'const a = new Intl.DateTimeFormat().format(b);', 'Intl in the core'),
  planted('purity', 'src/core/x.ts', 'const a = b.localeCompare(c);', 'localeCompare'),
  planted('determinism', 'src/engine/x.ts', 'const a = b.toLocaleString();', 'toLocaleString'),
  planted('purity', 'src/core/x.ts', 'const { floor, random } = Math;', 'Math.random'),
  planted('purity', 'src/core/x.ts', "const a = Math['random']();", 'Math.random'),
  planted('purity', 'src/core/x.ts', 'const a = process.env;', 'process.env'),
  planted('purity', 'src/core/x.ts', 'const { pid } = process;', 'process.pid'),
  planted('purity', 'src/core/x.ts', 'setTimeout(f, 1);', 'setTimeout in the core'),
  planted('purity', 'src/core/x.ts', 'setInterval(f, 1);', 'setInterval in the core'),
  planted('purity', 'src/core/x.ts', 'setImmediate(f);', 'setImmediate in the core'),
  planted('purity', 'src/core/x.ts', 'queueMicrotask(f);', 'queueMicrotask in the core'),
  planted('purity', 'src/core/x.ts', 'console.log(a);', 'console in the core'),
  planted('purity', 'src/core/x.ts', 'fetch(a);', 'fetch in the core'),
  planted('purity', 'src/core/x.ts', 'crypto.randomUUID();', 'crypto in the core'),
  planted('purity', 'src/core/x.ts', 'const a = `${b} ${Date.now()}`;', 'Date in the core'),
  planted('purity', 'src/core/x.ts', 'const a = globalThis.process;', 'globalThis in the core'),
  planted('purity', 'src/core/x.ts', "const a = require('fs');", 'require in the core'),
  planted('determinism', 'src/engine/x.ts', 'const a = Date.now();', 'Date in what the simulator runs'),
  planted('determinism', 'src/engine/x.ts', 'const a = AbortSignal.timeout(5);', 'AbortSignal.timeout'),
  planted('determinism', 'src/sim/x.ts', 'const a = Math.random();', 'Math.random'),
  planted('determinism', 'src/sim/x.ts', 'const a = randomUUID();', 'randomUUID in what the simulator runs'),
  planted('determinism', 'src/engine/x.ts', 'process.nextTick(a);', 'process.nextTick'),
  planted('determinism', 'bench/x.ts', 'const a = Math.random();', 'Math.random'),
  planted('sizes', 'src/core/x.ts', `${'\n'.repeat(500)}const a = 1;\n`, '501 lines (at most 500)', 501),
  planted('sizes', 'test/x.ts', `\nfunction f(a: string): { b: string } {${body(71)}}`, tooLong('f'), 2),
  planted('sizes', 'test/x.ts', `const f = async (a: string): Promise<void> => {${body(71)}};`, tooLong('f')),
  planted('sizes', 'test/x.ts', `const f = (a: string) => g([${body(71)}]);`, tooLong('f')),
  planted('sizes', 'test/x.ts', `class A {\n  f<T extends { a: T }>(a: T): T {${body(71)}}\n}`, tooLong('f'), 2),
  planted('sizes', 'test/x.ts', `const a = {\n  get f() {${body(71)}},\n};`, tooLong('f'), 2),
  planted('sizes', 'test/x.ts', `test('a', () => {${body(71)}});`, tooLong('=>')),
  planted('noBarrels', 'src/core/index.ts', 'const a = 1;', 'a file called index'),
  planted('noBarrels', 'src/core/x.ts', "\nexport * from './a.ts';", 'a re-export of ./a.ts', 2),
  planted('noBarrels', 'src/core/x.ts', "export * as a from './a.ts';", 'a re-export of ./a.ts'),
  planted('noBarrels', 'src/core/x.ts', "export type { A } from './a.ts';", 'a re-export of ./a.ts'),
  planted('noWaysAroundTypes', 'test/x.ts', 'const a: any = 1;', 'any'),
  planted('noWaysAroundTypes', 'test/x.ts', 'const a = b as any[];', 'any'),
  planted('noWaysAroundTypes', 'test/x.ts', 'const a: Record<string, any> = {};', 'any'),
  planted('noWaysAroundTypes', 'test/x.ts', '\nconst a = b as unknown as string;', 'as unknown as', 2),
  planted('noWaysAroundTypes', 'test/x.ts', 'const a = b!;', '! (not null, on trust)'),
  planted('noWaysAroundTypes', 'test/x.ts', 'const a = b[0]!.c;', '! (not null, on trust)'),
  planted('noWaysAroundTypes', 'test/x.ts', 'const a = b()!;', '! (not null, on trust)'),
  planted('noDefaultExports', 'test/x.ts', 'export default 1;', 'a default export'),
  planted('noDefaultExports', 'test/x.ts', '\nexport { a as default };', 'a default export', 2),
  planted('tellingNames', 'src/core/utils.ts', 'const a = 1;', 'the name utils'),
  planted('tellingNames', 'src/common/x.ts', 'const a = 1;', 'the name common'),
  planted('tellingNames', 'src/core/x.ts', 'class StateManager {}', 'class StateManager'),
];

export const plantedText: readonly Planted[] = [
  planted('noConflicts', 'docs/x.md', `a\n${'<'.repeat(7)} HEAD\nb`, `${'<'.repeat(7)} HEAD`, 2),
  planted('noConflicts', 'x.json', `a\n${'='.repeat(7)}\nb`, '='.repeat(7), 2),
  planted('noConflicts', 'src/core/x.ts', `${'>'.repeat(7)} main\n`, `${'>'.repeat(7)} main`),
  planted('noDeadLinks', 'docs/x.md', '\n[a](y.md#z)', 'a link to y.md, which is not there', 2),
  planted('noMachinePaths', 'docs/x.md', `see\n${absolute('home', 'ann', 'a.txt')}`, absolute('home', 'ann', ''), 2),
  planted('noMachinePaths', 'x.yaml', `a: ${absolute('Users', 'ann', 'a.txt')}`, absolute('Users', 'ann', '')),
  planted('noMachinePaths', 'test/x.ts', `const a = '${absolute('root', 'a')}';`, absolute('root', '')),
  planted('noMachinePaths', 'test/x.ts', `const a = '${absolute('tmp', 'a')}';`, absolute('tmp', 'a')),
  planted('noMachinePaths', 'test/x.ts', `const a = '${absolute('var', 'tmp', 'a')}';`, absolute('var', 'tmp', 'a')),
  planted('noMachinePaths', 'x.md', `C:${['', 'Users', 'ann'].join('\\')}`, `C:${['', 'Users', ''].join('\\')}`),
  planted('noOrphanedNotes', 'test/x.ts', `const a = 1;\n/* b\n ${'TO'}DO: c */`, `${'TO'}DO`, 3),
  planted('noOrphanedNotes', 'test/x.ts', `// ${'FIX'}ME c`, `${'FIX'}ME`),
  planted('noOrphanedNotes', 'docs/x.md', `\n${'TO'}DO`, `${'TO'}DO`, 2),
  planted(
    'noRegistryHosts',
    'package-lock.json',
    '{\n"resolved": "https://registry.example/a.tgz"}',
    '"resolved": "https://registry.example/a.tgz',
    2,
  ),
  planted(
    'noRegistryHosts',
    '.npmrc',
    'fund=false\nregistry=https://registry.example',
    'registry=https://registry.example',
    2,
  ),
];

export const tolerated: readonly { readonly why: string; readonly path: string; readonly text: string }[] = [
  core(
    'words of the domain',
    'type A = { readonly process: string }; const b = a.process; const { process } = a; f(process);',
  ),
  core(
    'words in comments and strings',
    "// await fetch any!\nconst a = 'Date'; /* console */ const b = `Promise ${a} any`;",
  ),
  core('properties called like a global', 'const a = { fetch: 1, crypto: 2 }; const b = a.fetch + a?.crypto;'),
  core('arithmetic, comparison and negation', 'const a = !b && c !== d && e != f; if (!g) h(!i, [!j], !k);'),
  core('regular expressions with quotes and slashes', 'const a = /[\'"`/]any[/`]/.test(b) ? c / d / e : f;'),
  core('values of the core', "import { a } from '../journal/entry.ts';"),
  core('a type that spells out function types', 'type A = { f: (a: string) => { b: string }; g(): void };'),
  {
    why: 'timers and promises of io',
    path: 'src/io/clock.ts',
    text: 'await new Promise((a) => setTimeout(a, Date.now()));',
  },
  {
    why: 'types of the core in io',
    path: 'src/io/balancer/a.ts',
    text: "import type { A } from '../../core/rollout/plan.ts';",
  },
  {
    why: 'inline types of the core in io',
    path: 'src/io/a.ts',
    text: "import { type A } from '../core/rollout/plan.ts';",
  },
  {
    why: 'readings and ports in io',
    path: 'src/io/balancer/a.ts',
    text: "import { known } from '../../core/observed/reading.ts';\nimport { PortError } from '../../engine/ports.ts';",
  },
  { why: 'the own noun of io', path: 'src/io/balancer/haproxy/a.ts', text: "import { b } from '../glob.ts';" },
  {
    why: 'a verb that calls the core',
    path: 'src/cli/a.ts',
    text: "import { Command } from 'commander';\nimport { judge } from '../core/judge/judge.ts';",
  },
  {
    why: 'main, which imports everything',
    path: 'src/main.ts',
    text: "import { a } from './io/clock.ts';\nimport { b } from './cli/program.ts';",
  },
  {
    why: 'the world, which constructs everything',
    path: 'src/world.ts',
    text: "import { a } from './io/clock.ts';\nimport { b } from './io/journal/sqlite.ts';",
  },
  { why: 'tests, which import everything', path: 'test/a.test.ts', text: "import { a } from '../src/io/clock.ts';" },
  {
    why: 'examples that import their own files',
    path: 'examples/a/b.ts',
    text: "import { c } from './c.ts';\nimport 'node:fs';",
  },
  { why: 'kafka bytes in the simulator', path: 'src/sim/a.ts', text: "import { b } from '../io/kafka/bytes/b.ts';" },
  {
    why: 'benches, which measure what is delivered and look at the clock',
    path: 'bench/a.ts',
    text: "import { a } from '../src/io/clock.ts';\nimport { b } from './frame/spread.ts';\nconst c = performance.now();",
  },
  {
    why: 'a long group of tests',
    path: 'test/a.test.ts',
    text: `describe('a', () => {${body(71)}});\ndescribe.each([1])('a', () => {${body(71)}});\ndescribe.skipIf(a())('b', { timeout: 1 }, () => {${body(71)}});`,
  },
  {
    why: 'functions and files of just the permitted size',
    path: 'test/a.ts',
    text: `function f() {${body(70)}}${'\n'.repeat(430)}const a = 1;\n`,
  },
  { why: "the default export of a tool's configuration", path: 'vitest.config.ts', text: 'export default {};' },
  { why: 'asymmetric matchers', path: 'test/a.ts', text: 'expect(a).toEqual({ b: expect.any(Number) });' },
  {
    why: 'turns of the event loop in the simulator',
    path: 'src/sim/a.ts',
    text: 'queueMicrotask(() => process.nextTick(b));',
  },
  {
    why: 'function types as the type of a result',
    path: 'test/a.ts',
    text: `function f(): Promise<() => void> {${body(70)}}\nconst a = (): (() => string[]) => {${body(70)}};`,
  },
  { why: 'notes with an owner', path: 'test/a.ts', text: `// ${'TO'}DO(ann): tidy up\nconst ${'TO'}DO = 1;` },
  {
    why: 'relative and system paths',
    path: 'docs/a.md',
    text: '.cache/tmp/a, /run/haproxy/admin.sock, https://a.example/home/b/c',
  },
];

function planted(rule: string, path: string, text: string, found: string, line = 1): Planted {
  return { rule, path, text, line, found };
}

function wall(path: string, specifier: string, room: string): Planted {
  return planted('fence', path, `\nimport { a } from '${specifier}';`, `${room} imports ${specifier}`, 2);
}

function core(why: string, text: string): { why: string; path: string; text: string } {
  return { why, path: 'src/core/rollout/x.ts', text };
}

/** What goes between two braces so that they, and what is before them, span so many lines. */
function body(lines: number): string {
  return '\n'.repeat(lines - 1);
}

function tooLong(name: string): string {
  return `${name} has 71 lines (at most 70)`;
}

/** Written in pieces, so that this file keeps the rule that it plants against. */
function absolute(...parts: readonly string[]): string {
  return ['', ...parts].join('/');
}
