import {
  Composer,
  type CST,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  type Pair,
  type ParsedNode,
  Parser,
  type YAMLError,
} from 'yaml';
import { PlaceFinder } from './place.ts';
import type { Finding, Position } from './problem.ts';
import { type Entry, quoteName, type Source } from './source.ts';
import { explainSyntax } from './syntax.ts';

/** Limits that no honest file comes near: some 200 services, and values at most eight levels deep. */
export const limits = { characters: 512 * 1024, lexemes: 200_000, levels: 32, syntaxErrors: 20 } as const;

export type DocumentReading = {
  /** null: the file could not be read as one YAML document, and `findings` says why. */
  readonly source: Source | null;
  readonly findings: readonly Finding[];
};

/**
 * Reads one YAML 1.2 document in time and memory proportional to the text, however hostile it is. Aliases, merge keys and
 * tags are refused: a value is what stands at its place, and a small file cannot grow into a large one.
 */
export function readDocument(text: string): DocumentReading {
  const content = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const place = new PlaceFinder(content);
  const unreadable = findUnreadable(content, place);
  if (unreadable !== null) return { source: null, findings: [unreadable] };
  const scan = scanTokens(content, place);
  if (scan.finding !== null) return { source: null, findings: [scan.finding] };
  return composeDocument(scan.tokens, content, place);
}

function findUnreadable(text: string, place: PlaceFinder): Finding | null {
  if (text.length > limits.characters) {
    return {
      ...place.at(0),
      message: 'the file is too large for a configuration',
      expected: `at most ${limits.characters} characters`,
      found: `${text.length} characters`,
    };
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
  const control = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u0084\u0086-\u009F]|\r(?!\n)/.exec(text);
  if (control !== null) {
    const code = (control[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return {
      ...place.at(control.index),
      message: 'the file is not a text file',
      expected: 'UTF-8 text with lines that end in LF or CR LF',
      found: `the control character U+${code}`,
    };
  }
  return null;
}

type Scan =
  | { readonly finding: null; readonly tokens: readonly CST.Token[] }
  | { readonly finding: Finding; readonly tokens: null };

/** The parser's own stack is watched, because composing a deep tree is recursive. */
function scanTokens(text: string, place: PlaceFinder): Scan {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1 + escapeCost * countEscapes(lexeme);
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > limits.levels) {
      return refused(place.at(parser.offset - 1), 'values are nested too deeply', `at most ${limits.levels} levels`);
    }
    if (lexemes > limits.lexemes) {
      return refused(
        place.at(parser.offset - 1),
        'the file has too many parts',
        `at most ${limits.lexemes} words and signs`,
      );
    }
  }
  tokens.push(...parser.end());
  const directive = tokens.find((token) => token.type === 'directive');
  if (directive !== undefined) {
    return refused(
      place.at(directive.offset),
      'YAML directives are not supported',
      'a file without lines that start with %',
    );
  }
  return { finding: null, tokens };
}

/** Each wrong escape becomes an error with a stack inside the parser, which costs more than a word. */
const escapeCost = 10;

function countEscapes(lexeme: string): number {
  return lexeme.startsWith('"') ? lexeme.split('\\').length - 1 : 0;
}

function refused(at: Position, message: string, expected: string): Scan {
  return { finding: { ...at, message, expected }, tokens: null };
}

function composeDocument(tokens: readonly CST.Token[], text: string, place: PlaceFinder): DocumentReading {
  const composer = new Composer({
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
    resolveKnownTags: false,
  });
  const [document, second] = take(composer.compose(tokens, true, text.length), 2);
  if (document === undefined) return { source: null, findings: [emptyFile(place)] };
  if (document.errors.length > 0) return { source: null, findings: syntaxFindings(document.errors, place) };
  if (second !== undefined) {
    const message = 'a configuration is one YAML document, and here a second one begins';
    return {
      source: null,
      findings: [{ ...place.at(second.range[0]), message, suggestion: 'use one file for each fleet' }],
    };
  }
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    return { source: null, findings: [emptyFile(place)] };
  }
  const findings: Finding[] = [];
  const source = convert(document.contents, { place, findings, emptyAt: place.at(0) });
  return { source, findings };
}

function take<T>(items: Iterable<T>, count: number): T[] {
  const taken: T[] = [];
  for (const item of items) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
}

function emptyFile(place: PlaceFinder): Finding {
  return {
    ...place.at(0),
    message: 'the file is empty',
    suggestion: '`drover init FILE` writes an example to start from',
  };
}

function syntaxFindings(errors: readonly YAMLError[], place: PlaceFinder): Finding[] {
  const findings = errors
    .slice(0, limits.syntaxErrors)
    .map((error) => ({ ...place.at(error.pos[0]), ...explainSyntax(error.code) }));
  const last = findings[findings.length - 1];
  if (last !== undefined) {
    const later = 'keys and values are checked once the file is YAML';
    findings[findings.length - 1] = { ...last, suggestion: `${last.suggestion}; ${later}` };
  }
  return findings;
}

type Conversion = {
  readonly place: PlaceFinder;
  readonly findings: Finding[];
  /** Where an empty value is reported: at its key. */
  readonly emptyAt: Position;
};

function convert(node: ParsedNode | null, conversion: Conversion): Source {
  if (node === null) return { kind: 'scalar', at: conversion.emptyAt, value: null, text: '', quoted: false };
  const at = conversion.place.at(node.range[0]);
  if (isAlias(node)) {
    conversion.findings.push({
      ...at,
      message: 'aliases (`*name`) are not supported',
      suggestion: 'write the value out',
    });
    return { kind: 'unreadable', at };
  }
  if (node.tag !== undefined) {
    conversion.findings.push({ ...at, message: 'tags (`!name`) are not supported', suggestion: 'remove the tag' });
    return { kind: 'unreadable', at };
  }
  if (node.anchor !== undefined) {
    const suggestion = 'write the value out at each place that needs it';
    conversion.findings.push({ ...at, message: 'anchors (`&name`) are not supported', suggestion });
  }
  if (isMap(node)) return convertMapping(node.items, at, conversion);
  if (isSeq(node)) return { kind: 'list', at, items: node.items.map((item) => convert(asNode(item), conversion)) };
  const { value, source, type } = node;
  if (value === null && source === '')
    return { kind: 'scalar', at: conversion.emptyAt, value, text: '', quoted: false };
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null) {
    return { kind: 'scalar', at, value, text: source, quoted: type !== 'PLAIN' };
  }
  throw new Error(`the YAML core schema has no scalars of type ${typeof value}`);
}

function convertMapping(pairs: readonly Pair[], at: Position, conversion: Conversion): Source {
  const entries = new Map<string, Entry>();
  let complete = true;
  for (const pair of pairs) {
    const key = readKey(asNode(pair.key), conversion);
    if (key === null) {
      complete = false;
      continue;
    }
    const first = entries.get(key.name);
    const value = convert(asNode(pair.value), { ...conversion, emptyAt: key.at });
    if (first === undefined) {
      entries.set(key.name, { key: key.name, at: key.at, value });
      continue;
    }
    const message = `the key ${quoteName(key.name)} is here a second time`;
    const suggestion = `it is already on line ${first.at.line}; keep one of them`;
    conversion.findings.push({ ...key.at, message, suggestion });
  }
  return complete ? { kind: 'mapping', at, entries: [...entries.values()] } : { kind: 'unreadable', at };
}

function readKey(
  node: ParsedNode | null,
  conversion: Conversion,
): { readonly name: string; readonly at: Position } | null {
  const at = node === null ? conversion.emptyAt : conversion.place.at(node.range[0]);
  if (!isScalar(node) || node.value === null || node.tag !== undefined) {
    conversion.findings.push({ ...at, message: 'a key has to be a plain name', expected: 'a name before the colon' });
    return null;
  }
  if (node.source === '<<') {
    const suggestion = 'write the keys and values out';
    conversion.findings.push({ ...at, message: 'merge keys (`<<`) are not supported', suggestion });
    return null;
  }
  if (node.anchor !== undefined) {
    conversion.findings.push({
      ...at,
      message: 'anchors (`&name`) are not supported',
      suggestion: 'remove the anchor',
    });
  }
  return { name: node.source, at };
}

/** The composer's types leave the children open; by construction each is a parsed node or nothing. */
function asNode(child: unknown): ParsedNode | null {
  if (child === null || child === undefined) return null;
  if (isNode(child)) return child as ParsedNode;
  throw new Error('the YAML composer produced a child that is not a node');
}
