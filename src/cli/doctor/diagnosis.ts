/** What `drover doctor` found: printed as it is with --json (docs/reference/doctor.md). */
export type Diagnosis = {
  /** The worst level of all checks. */
  readonly verdict: Level;
  readonly sections: readonly Section[];
  /** What Drover has to be allowed to do for these services, and nothing more. */
  readonly allow: readonly Allowance[];
};

/** `trouble` keeps a rollout from working; `warning` should be known before one starts. */
export type Level = 'well' | 'warning' | 'trouble';

export type Section = {
  readonly kind: 'configuration' | 'state' | 'copy' | 'balancer' | 'service';
  readonly name: string;
  readonly checks: readonly Check[];
  /** Of a service: its last rollout is completed, so that nothing is left to move. */
  readonly moved?: boolean;
};

export type Check = { readonly level: Level; readonly what: string; readonly remedy: string | null };

export type Allowance = { readonly what: string; readonly how: string };

export function well(what: string): Check {
  return { level: 'well', what, remedy: null };
}

export function warning(what: string, remedy: string | null): Check {
  return { level: 'warning', what, remedy };
}

export function trouble(what: string, remedy: string | null): Check {
  return { level: 'trouble', what, remedy };
}

export function verdictOf(sections: readonly Section[]): Level {
  const levels = sections.flatMap(({ checks }) => checks.map(({ level }) => level));
  if (levels.includes('trouble')) return 'trouble';
  return levels.includes('warning') ? 'warning' : 'well';
}
