import type { ErrorCode } from 'yaml';

type Explanation = { readonly message: string; readonly suggestion: string };

/**
 * What is wrong with the YAML, in Drover's words: those of the parser may repeat parts of the file, which may be secrets.
 */
export function explainSyntax(code: ErrorCode): Explanation {
  return { message: `not valid YAML: ${explanations[code].message}`, suggestion: explanations[code].suggestion };
}

const inQuotes = 'put the text in quotes';

const explanations: Readonly<Record<ErrorCode, Explanation>> = {
  ALIAS_PROPS: { message: 'an alias with an anchor or a tag', suggestion: 'write the value out' },
  BAD_ALIAS: { message: 'an alias that names nothing', suggestion: 'a text that begins with * or & needs quotes' },
  BAD_COLLECTION_TYPE: { message: 'a tag that does not fit its value', suggestion: 'remove the tag' },
  BAD_DIRECTIVE: { message: 'a directive that YAML does not know', suggestion: 'remove the line that begins with %' },
  BAD_DQ_ESCAPE: {
    message: 'an escape that YAML does not know in a text in double quotes',
    suggestion: 'write \\\\ for a backslash, or use single quotes',
  },
  BAD_INDENT: {
    message: 'the indentation does not fit the lines around it',
    suggestion: 'keys of one mapping begin in the same column; or is a bracket left open?',
  },
  BAD_PROP_ORDER: { message: 'an anchor or a tag at the wrong place', suggestion: 'remove it' },
  BAD_SCALAR_START: { message: 'a value cannot begin with this character', suggestion: inQuotes },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a mapping begins in the middle of a line',
    suggestion: 'a text that contains ": " needs quotes; otherwise put nested keys on lines of their own',
  },
  BLOCK_IN_FLOW: {
    message: 'an indented list or mapping inside [] or {}',
    suggestion: 'use [] and {} for everything inside, or for nothing',
  },
  DUPLICATE_KEY: { message: 'a key is here a second time', suggestion: 'keep one of them' },
  IMPOSSIBLE: { message: 'this cannot be read', suggestion: 'compare the line with the example of `drover init`' },
  KEY_OVER_1024_CHARS: {
    message: 'a key is longer than 1024 characters',
    suggestion: 'is a colon or a quote missing?',
  },
  MISSING_CHAR: {
    message: 'a sign is missing, or something does not belong here',
    suggestion: 'is a colon, a comma, a space after a colon, a bracket or a quote missing?',
  },
  MULTILINE_IMPLICIT_KEY: {
    message: 'a key goes over several lines',
    suggestion: 'is the colon after the key missing, or a quote or bracket not closed?',
  },
  MULTIPLE_ANCHORS: { message: 'a value with several anchors', suggestion: 'remove them' },
  MULTIPLE_DOCS: { message: 'several documents in one file', suggestion: 'use one file for each fleet' },
  MULTIPLE_TAGS: { message: 'a value with several tags', suggestion: 'remove them' },
  NON_STRING_KEY: { message: 'a key that is not a name', suggestion: 'write a name before the colon' },
  RESOURCE_EXHAUSTION: {
    message: 'values are nested too deeply',
    suggestion: 'compare with the example of `drover init`',
  },
  TAB_AS_INDENT: { message: 'a tab is used to indent', suggestion: 'indent with spaces' },
  TAG_RESOLVE_FAILED: { message: 'a tag that YAML does not know', suggestion: 'remove the tag' },
  UNEXPECTED_TOKEN: {
    message: 'something stands where nothing is expected',
    suggestion: 'is the indentation right, is a comma missing, a bracket or a quote too many?',
  },
};
