/** 1-based; columns count UTF-16 code units, as editors do. */
export type Position = { readonly line: number; readonly column: number };

/** Something in a configuration file that a person has to look at: where it is, and what to write instead. */
export type Problem = Position & {
  readonly file: string;
  /** Starts with the path of the value (`services.query.origin.size: …`) where there is one. */
  readonly message: string;
  readonly expected?: string;
  readonly found?: string;
  readonly suggestion?: string;
};

export type Finding = Omit<Problem, 'file'>;

/** `file:line:column  message`, followed by one indented line for each of expected, found and suggestion. */
export function formatProblem(problem: Problem): string {
  const lines = [`${problem.file}:${problem.line}:${problem.column}  ${problem.message}`];
  if (problem.expected !== undefined) lines.push(`    expected  ${problem.expected}`);
  if (problem.found !== undefined) lines.push(`    found     ${problem.found}`);
  if (problem.suggestion !== undefined) lines.push(`    hint      ${problem.suggestion}`);
  return lines.join('\n');
}

/** So many are kept, so that a hostile file can neither fill the memory nor print a novel. */
export const problemsMax = 1_000;

/** Findings without repetitions. */
export class Findings {
  readonly #kept = new Map<string, Finding>();
  #overflowed = false;

  get isEmpty(): boolean {
    return this.#kept.size === 0;
  }

  add(finding: Finding): void {
    const identity = `${finding.line}:${finding.column}:${finding.message}`;
    if (this.#kept.has(identity)) return;
    if (this.#kept.size < problemsMax) this.#kept.set(identity, finding);
    else this.#overflowed = true;
  }

  /** In the order of the file. */
  inFile(file: string): Problem[] {
    const problems = [...this.#kept.values()].map((finding) => ({ file, ...finding }));
    problems.sort((a, b) => a.line - b.line || a.column - b.column);
    const last = problems[problems.length - 1];
    if (last === undefined || !this.#overflowed) return problems;
    const { line, column } = last;
    return [
      ...problems,
      { file, line, column, message: `there are more than ${problemsMax} problems; the others are not shown` },
    ];
  }
}
