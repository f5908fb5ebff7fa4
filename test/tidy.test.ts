import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  determinism,
  noBarrels,
  noDefaultExports,
  noWaysAroundTypes,
  purity,
  sizes,
  tellingNames,
} from './tidy/bans.ts';
import { fence } from './tidy/fence.ts';
import { isSource, projectFiles, type SourceFile } from './tidy/files.ts';
import { plantedCode, plantedFences, plantedText, tolerated } from './tidy/planted.ts';
import { describeViolation, type Rule, tokensOf } from './tidy/rule.ts';
import { noConflicts, noDeadLinks, noMachinePaths, noOrphanedNotes, noRegistryHosts } from './tidy/text.ts';
import type { Token } from './tidy/tokens.ts';

const codeRules: Readonly<Record<string, Rule>> = {
  fence,
  purity,
  determinism,
  sizes,
  noBarrels,
  noWaysAroundTypes,
  noDefaultExports,
  tellingNames,
};
const textRules: Readonly<Record<string, Rule>> = {
  noConflicts,
  noDeadLinks,
  noMachinePaths,
  noOrphanedNotes,
  noRegistryHosts,
};

const files = projectFiles();

describe('the project keeps its own rules', () => {
  test('the files are there to be looked at', () => {
    const paths = files.map(({ path }) => path);
    expect(paths).toContain('package-lock.json');
    expect(paths).toContain('src/engine/ports.ts');
    expect(files.filter(isSource).length).toBeGreaterThan(20);
  });

  test("an unpacked archive without git is looked at too, and a folder that is a link is nobody's file", () => {
    const root = mkdtempSync(join(tmpdir(), 'drover-tidy-'));
    try {
      writeFileSync(join(root, '.gitignore'), 'node_modules/\n*.log\n');
      mkdirSync(join(root, 'src', 'core'), { recursive: true });
      mkdirSync(join(root, 'src', 'node_modules'));
      for (const path of ['src/core/a.ts', 'src/node_modules/b.ts', 'c.log', 'README.md'])
        writeFileSync(join(root, path), path);
      symlinkSync(root, join(root, 'node_modules'));
      symlinkSync(root, join(root, 'modules'));
      const found = [
        { path: '.gitignore', text: 'node_modules/\n*.log\n' },
        { path: 'README.md', text: 'README.md' },
        { path: 'src/core/a.ts', text: 'src/core/a.ts' },
      ];
      const sorted = () => projectFiles(root).sort((one, other) => (one.path < other.path ? -1 : 1));
      expect(sorted()).toEqual(found);
      // Where there is no git, the folders tell again.
      spawnSync('git', ['init', '--quiet', root]);
      expect(sorted()).toEqual(found);
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  test('the tokens of every source file are its code: nothing lost, every bracket closed by its own kind', () => {
    for (const file of files.filter(isSource)) {
      const tokens = tokensOf(file);
      expect(
        tokens
          .map(({ text }) => text)
          .join('')
          .replace(/\s/g, ''),
        file.path,
      ).toBe(file.text.replace(/\s/g, ''));
      expect(unclosedBrackets(tokens), file.path).toEqual([]);
    }
  });

  test.each(Object.keys(codeRules))('%s', (name) => {
    expect(broken(codeRules[name], files.filter(isSource))).toEqual([]);
  });

  test.each(Object.keys(textRules))('%s', (name) => {
    expect(broken(textRules[name], files)).toEqual([]);
  });
});

describe('every rule finds what is planted, at its line, and says what to write in its place', () => {
  const planted = [...plantedFences, ...plantedCode, ...plantedText];
  test.each(planted)('$rule: $found in $path', ({ rule, path, text, line, found }) => {
    const violations = (codeRules[rule] ?? textRules[rule])?.({ path, text }) ?? [];
    expect(violations.map((violation) => ({ line: violation.line, found: violation.found }))).toEqual([
      { line, found },
    ]);
    for (const violation of violations) {
      expect(violation.instead).not.toBe('');
      expect(describeViolation(violation)).toBe(`${path}:${line}: ${found}; instead: ${violation.instead}`);
    }
  });

  test('no rule is without a planted violation', () => {
    const rules = [...Object.keys(codeRules), ...Object.keys(textRules)];
    expect(rules.filter((rule) => !planted.some((plant) => plant.rule === rule))).toEqual([]);
  });

  test.each(tolerated)('says nothing about $why', ({ path, text }) => {
    const rules = [...Object.values(codeRules), ...Object.values(textRules)];
    expect(rules.flatMap((rule) => broken(rule, [{ path, text }]))).toEqual([]);
  });
});

function broken(rule: Rule | undefined, among: readonly SourceFile[]): string[] {
  if (rule === undefined) throw new Error('no such rule');
  return among.flatMap((file) => rule(file)).map(describeViolation);
}

/** Opening brackets without their closing one, and closing ones that close something else, with their lines. */
function unclosedBrackets(tokens: readonly Token[]): string[] {
  const opens: string[] = [];
  const wrong: string[] = [];
  for (const { kind, text, line } of tokens) {
    const closes =
      kind === 'template' ? text.startsWith('}') : kind === 'punctuation' && [')', ']', '}'].includes(text);
    const opening =
      kind === 'template' ? text.endsWith('${') : kind === 'punctuation' && ['(', '[', '{'].includes(text);
    if (closes && opens.pop() !== counterpart[text.charAt(0)]) wrong.push(`${text.charAt(0)} in line ${line}`);
    if (opening) opens.push(kind === 'template' ? '{' : text);
  }
  return [...opens, ...wrong];
}

const counterpart: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };
