import { fileShape } from './grammar.ts';
import type { KeyDescription } from './shape.ts';

/** The key tables of the reference, one for each section of the file, as Markdown, from the same grammar as the parser. */
export function referenceTables(): string {
  const sections = Map.groupBy(fileShape.keys, sectionOf);
  return [...sections].map(([section, keys]) => table(section, keys)).join('\n');
}

/** Long sections are divided: `services.<service>.origin` and `destination` have the same keys, shown once. */
const sections: readonly (readonly [string, RegExp])[] = [
  ['hidden', /^services\.<service>\.(destination|rollout)\./],
  ['services.\\<service>.origin, destination', /^services\.<service>\.origin\./],
  ['services', /^services/],
  ['environments', /^environments/],
  ['balancers', /^balancers/],
  ['waves', /^waves/],
  ['rollout', /^rollout/],
  ['notify', /^notify/],
];

function sectionOf(key: KeyDescription): string {
  return sections.find(([, pattern]) => pattern.test(key.path))?.[0] ?? 'The file';
}

function table(section: string, keys: readonly KeyDescription[]): string {
  if (section === 'hidden') return '';
  const lines = keys.map(
    (key) =>
      `| ${pathCell(key.path)} | ${escapeCell(key.expected)} | ${defaultCell(key)} | ${escapeCell(key.description)} |`,
  );
  return [`### ${section}`, '', '| key | value | default | meaning |', '|---|---|---|---|', ...lines, ''].join('\n');
}

function pathCell(path: string): string {
  const short = path.replace(/^services\.<service>\.origin\./, '').replace(/^rollout\.(?=.)/, '');
  return `\`${short}\``;
}

function defaultCell(key: KeyDescription): string {
  if (key.required) return '*required*';
  if (key.fallback === undefined) return '';
  if (typeof key.fallback !== 'object') return `\`${key.fallback}\``;
  return Array.isArray(key.fallback) ? key.fallback.map((item) => `\`${inline(item)}\``).join(', ') : '';
}

function inline(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item);
  return `{ ${Object.entries(item)
    .map(([key, value]) => `${key}: ${value}`)
    .join(', ')} }`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '\\<');
}
