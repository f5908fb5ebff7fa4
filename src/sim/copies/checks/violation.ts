export const checkNames = [
  'no effect without its intent',
  'nothing without the lease',
  'given back once all is over',
  'levers are as they were',
  'ACLs are as shown',
  'ACLs are as they were',
  'rights go with their topics',
  'only what is ours',
  'nothing is removed that somebody needs',
  'what was made is removed',
  'a hold holds',
  'a mover has a lease',
  'one mover writes',
  'nothing moves after the end',
  'copied is copied',
  'what is followed grows',
  'what was found is journalled',
  'no more bytes than were sent',
  'asked is answered',
  'journal',
  'anchors',
  'everything ends',
  'the controller goes on',
] as const;
export type CheckName = (typeof checkNames)[number];

export type Violation = { readonly check: CheckName; readonly atMs: number; readonly text: string };

/** Tells of a violation; the run ends before its next event. */
export type Report = (check: CheckName, text: string) => void;
