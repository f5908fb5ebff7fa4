import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkout } from './files.ts';
import { type Rule, tokensOf, type Violation } from './rule.ts';

/** Places of one machine. The two computed ones are this machine's own. */
const machinePaths: readonly RegExp[] = [
  /(?<![\w.:/-])\/(?:home|Users)\/[\w.-]+\//g,
  /(?<![\w.:/-])\/root\//g,
  /(?<![\w.:/-])\/(?:var\/)?tmp\/[\w.-]/g,
  /\b[A-Z]:\\Users\\/g,
  ...[checkout, homedir()]
    .filter((path) => path.split('/').length > 2)
    .map((path) => new RegExp(literally(`${path}/`), 'g')),
];

export const noMachinePaths: Rule = (file) =>
  machinePaths.flatMap((pattern) =>
    matches(
      file.path,
      file.text,
      pattern,
      'a path relative to the file or the checkout, os.tmpdir(), or a place such as /run/haproxy',
    ),
  );

/** In code only comments count, so that a rule can name what it bans. */
export const noOrphanedNotes: Rule = (file) => {
  const pattern = /\b(?:TODO|FIXME|XXX)\b(?!\(@?[a-z][\w-]*\))/g;
  const instead = 'do it, drop it, or name its owner: `TODO(name): …`';
  if (/\.(ts|tsx|mjs)$/.test(file.path)) {
    return tokensOf(file)
      .filter((token) => token.kind === 'comment')
      .flatMap((token) => matches(file.path, token.text, pattern, instead, token.line - 1));
  }
  return /\.(md|ya?ml|sh|css|html)$/.test(file.path) ? matches(file.path, file.text, pattern, instead) : [];
};

/** `npm ci` then takes each package from whatever registry its user has, and checks it by its integrity. */
export const noRegistryHosts: Rule = (file) => {
  if (/(^|\/)package-lock\.json$/.test(file.path)) {
    const instead = 'npm install with omit-lockfile-registry-resolved=true (.npmrc)';
    return matches(file.path, file.text, /"resolved": "(?:https?|git)[^"]*/g, instead);
  }
  if (/(^|\/)\.npmrc$/.test(file.path)) {
    return matches(
      file.path,
      file.text,
      /^.*(?:registry\s*=|_auth).*$/gm,
      'the registry of whoever installs: keep it in the own ~/.npmrc',
    );
  }
  return [];
};

/** What a merge has left undecided; a heading of seven letters is underlined with `#` before it. */
export const noConflicts: Rule = ({ path, text }) =>
  matches(path, text, /^(?:<{7}|>{7}|\|{7}|={7})(?: .*)?$/gm, 'the one version that is right, without the markers');

/** Links of the documentation to files of the checkout. */
export const noDeadLinks: Rule = ({ path, text }) => {
  if (!path.endsWith('.md')) return [];
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((link) => {
    const target = (link[1] ?? '').replace(/#.*$/, '');
    if (target === '' || /^[a-z]+:/.test(target) || existsSync(join(checkout, dirname(path), target))) return [];
    const line = text.slice(0, link.index).split('\n').length;
    return [
      { path, line, found: `a link to ${target}, which is not there`, instead: 'the path from this page to the file' },
    ];
  });
};

function matches(path: string, text: string, pattern: RegExp, instead: string, linesBefore = 0): Violation[] {
  return [...text.matchAll(pattern)].map((match) => ({
    path,
    line: linesBefore + text.slice(0, match.index).split('\n').length,
    found: match[0].trim(),
    instead,
  }));
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
