import type { Goal } from './goals.ts';

/** One file in `bench/` for each: its name is the name of the bench, and it exports `bench`. */
export type Bench = {
  /** One line for the list. */
  readonly about: string;
  /** `--name`: how many, in words, and the number used where it is not given. */
  readonly options: Readonly<Record<string, Option>>;
  /** What words after the name choose among: a word chooses the case of this name or, where there is none, those whose names have it. */
  readonly cases: readonly string[];
  /** Prints its tables by `say`, and returns the goals that it measured. Stops everything that it started, also when it throws. */
  readonly run: (asked: Asked, say: Say) => Promise<readonly Goal[]>;
};

export type Option = {
  readonly about: string;
  readonly otherwise: number;
  /** Given without a number, and 1 then. */
  readonly isFlag?: true;
};
export type Say = (text: string) => void;

export type Asked = {
  /** Of an option that the bench declared. */
  readonly number: (option: string) => number;
  /** The chosen cases; all of them where no word was given. */
  readonly cases: readonly string[];
};

export function isBench(value: unknown): value is Bench {
  if (typeof value !== 'object' || value === null) return false;
  return ['about', 'options', 'cases', 'run'].every((part) => part in value);
}
