/**
 * Takes a reply apart as it arrives, in whatever pieces:
 *
 *   reply  = 1*answer          ; as many as commands
 *   answer = *( line LF ) LF   ; no line is empty
 */
export class AnswerReader {
  readonly complete: string[] = [];
  characters = 0;
  private lines: string[] = [];
  private line = '';
  private readonly wanted: number;

  constructor(wanted: number) {
    this.wanted = wanted;
  }

  get missing(): number {
    return this.wanted - this.complete.length;
  }

  /** What came of the answer that is not complete. */
  get tail(): string {
    return [...this.lines, this.line].join('\n');
  }

  read(chunk: string): void {
    this.characters += chunk.length;
    const [first = '', ...others] = chunk.split('\n');
    this.line += first;
    for (const next of others) {
      this.endLine();
      this.line = next;
    }
  }

  private endLine(): void {
    if (this.missing === 0) return;
    if (this.line !== '') this.lines.push(this.line);
    else {
      this.complete.push(this.lines.join('\n'));
      this.lines = [];
    }
  }
}
