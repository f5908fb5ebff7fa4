export const checkNames = [
  'records equal',
  'map monotone',
  'no gap',
  'no duplicate',
  'damage never silent',
  'damage has its cause',
  'nothing is damaged while it is remembered',
  'offsets account exactly',
  'the line comes before the batch',
  'nothing is written behind damage',
  'an epoch has one writer',
  'what stands is not sent again',
  'the lease holds',
  'a hold holds',
  'the end is sure',
  'what is adopted is what was copied',
  'everything ends',
  'the mover goes on',
] as const;
export type CheckName = (typeof checkNames)[number];

export type Violation = { readonly check: CheckName; readonly atMs: number; readonly text: string };
