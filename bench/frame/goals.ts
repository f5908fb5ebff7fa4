/** What was promised of a figure, and what was found. */
export type Goal = { readonly promised: string; readonly found: string; readonly met: boolean };

/** One line for each, the missed ones in capitals: they are what a reader looks for. */
export function describeGoals(goals: readonly Goal[]): string {
  return goals.map(({ promised, found, met }) => `${met ? 'met   ' : 'MISSED'}  ${promised}: ${found}`).join('\n');
}
