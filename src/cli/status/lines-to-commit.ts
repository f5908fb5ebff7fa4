import type { Config } from '../../core/fleet/config.ts';
import type { AgainstBack } from '../../core/rollout/configured.ts';

/**
 * What a person has to write so that a reload does not bring the old weights back: server lines for HAProxy (`lines`, which
 * begin with `balancer/backend:`), the key of drover.yaml for an embedded balancer, which has no configuration of its own.
 */
export function linesToWrite(
  config: Config | null,
  lines: readonly string[],
  carries: 'origin' | 'destination' = 'destination',
): string[] {
  const written = lines.map((line) => {
    const name = /^([^/ ]+)\/[^ ]+: server /.exec(line)?.[1];
    if (name === undefined || config?.balancers[name]?.kind !== 'embedded') return line;
    return `drover.yaml: balancers.${name}.embedded.carries: ${carries}`;
  });
  return [...new Set(written)];
}

/** What a reload would do against a way back that was taken, a sentence each, with all that has to be written. */
export function againstBackLines(config: Config | null, found: readonly AgainstBack[]): string[] {
  return found.map(({ backend, says, lines }) => {
    const places = lines.map((line) => line.slice(`${backend}: `.length));
    const wanted = linesToWrite(config, lines, 'origin');
    const isEmbedded = wanted.some((line, index) => line !== lines[index]);
    return `${backend}: any reload undoes this way back: ${says}. It has to say: ${(isEmbedded ? wanted : places).join('; ')}`;
  });
}
