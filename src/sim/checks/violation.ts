/** What a checker found wrong. The first one ends a run. */
export type Violation = { readonly check: CheckName; readonly atMs: number; readonly text: string };

export const checkNames = [
  'capacity before traffic',
  'reserve',
  'no raise after a way back',
  'no raise while held',
  'no raise against a hand',
  'what is taken out stays out',
  'nobody is blamed without a hand',
  'no raise without the lease',
  'the way back comes at once',
  'the way back leaves users a server',
  'the way back leaves no gap',
  'the way back spares the origin',
  'the way back makes room',
  'the way back goes on',
  'drained is drained',
  'half down is answered',
  'crash loops are answered',
  'hung requests are answered',
  'a bad build is left',
  'the marker comes first',
  'no way on from a failed drill',
  'no way on before the bake time',
  'no effect without its intent',
  'only what is ours',
  'nothing shrinks under traffic',
  'evidence from observed traffic',
  'less β for every attempt',
  'a build that was taken back needs a reason',
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
