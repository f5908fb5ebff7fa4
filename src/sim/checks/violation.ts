/** What a checker found wrong. The first one ends a run. */
export type Violation = { readonly check: CheckName; readonly atMs: number; readonly text: string };

export const checkNames = [
  'capacity before traffic',
  'reserve',
  'no raise after a way back',
  'no raise while held',
  'no raise against a hand',
  'the way back comes at once',
  'the way back leaves users a server',
  'half down is answered',
  'no effect without its intent',
  'only what is ours',
  'nothing shrinks under traffic',
  'evidence from observed traffic',
  'journal',
  'anchors',
  'as found after a way back',
  'whole share after completion',
  'everything ends',
  'the controller goes on',
] as const;
export type CheckName = (typeof checkNames)[number];

/** Tells of a violation; the run ends before its next event. */
export type Report = (check: CheckName, text: string) => void;
