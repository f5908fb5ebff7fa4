import { describe, expect, test } from 'vitest';

/** One thing that every implementation of an interface must do. `check` throws an AssertionError where it does not. */
export type Clause<Harness> = {
  readonly name: string;
  check(harness: Harness, skip: (why: string) => never): Promise<void>;
};
export type Write<Harness> = (name: string, check: Clause<Harness>['check']) => void;

/** How an implementation is brought up for one clause, and taken down again. */
export type Bringing<Harness> = { open(): Promise<Harness>; close(harness: Harness): Promise<void> };

export function collectClauses<Harness>(...parts: readonly ((write: Write<Harness>) => void)[]): Clause<Harness>[] {
  const clauses: Clause<Harness>[] = [];
  for (const part of parts) part((name, check) => void clauses.push({ name, check }));
  return clauses;
}

/** Each clause as a test of its own, on an implementation that nothing has happened to yet. */
export function testClauses<Harness>(
  name: string,
  clauses: readonly Clause<Harness>[],
  { open, close }: Bringing<Harness>,
): void {
  describe(name, () => {
    for (const clause of clauses) {
      test(clause.name, async (context) => {
        const harness = await open();
        try {
          await clause.check(harness, (why) => context.skip(why));
        } finally {
          await close(harness);
        }
      });
    }
  });
}

/** A wrong implementation, and a clause that must reject it. */
export type Planted<Harness> = { readonly wrong: string; readonly clause: string; plant(harness: Harness): Harness };

/** A suite that accepts everything proves nothing: each planted mistake has to be found by an assertion of its clause. */
export function testPlanted<Harness>(
  name: string,
  clauses: readonly Clause<Harness>[],
  { open, close }: Bringing<Harness>,
  planted: readonly Planted<Harness>[],
): void {
  describe(`${name}: wrong implementations are rejected`, () => {
    test.each(planted)('$wrong', async ({ clause, plant }) => {
      const harness = await open();
      const found = clauses.find((one) => one.name === clause);
      const failure = await Promise.resolve(found?.check(plant(harness), skipped)).then(
        () => null,
        (error: unknown) => error,
      );
      await close(harness);
      expect(found, `there is no clause "${clause}"`).toBeDefined();
      expect(failure).toMatchObject({ name: 'AssertionError' });
    });
  });
}

/** A mistake in one part of a harness: `as` is what that part does otherwise. */
export type Wrong<Part> = {
  readonly wrong: string;
  readonly clause: string;
  readonly as: (part: Part) => Partial<Part>;
};

/** What to plant: `plant` puts the mistaken part wherever the harness has it. */
export function plantedParts<Harness, Part extends object>(
  wrong: readonly Wrong<Part>[],
  plant: (harness: Harness, mistaken: (part: Part) => Part) => Harness,
): Planted<Harness>[] {
  return wrong.map(({ as, ...planted }) => ({
    ...planted,
    plant: (harness) => plant(harness, (part) => ({ ...part, ...as(part) })),
  }));
}

function skipped(why: string): never {
  throw new Error(`skipped: ${why}`);
}
