import type { Context } from '../context.ts';

export type Paint = Readonly<Record<keyof typeof codes, (text: string) => string>>;

const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

/** Colours for standard output; none where it is not a terminal or NO_COLOR is set (https://no-color.org). */
export function paintFor({ stdout, env }: Pick<Context, 'stdout' | 'env'>): Paint {
  const coloured = stdout.terminal !== null && (env.NO_COLOR ?? '') === '';
  const brush =
    ([on, off]: readonly [number, number]) =>
    (text: string) =>
      coloured && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  return {
    bold: brush(codes.bold),
    dim: brush(codes.dim),
    red: brush(codes.red),
    green: brush(codes.green),
    yellow: brush(codes.yellow),
    cyan: brush(codes.cyan),
  };
}
