import type { Config } from '../../core/fleet/config.ts';

/**
 * What a person has to write so that a reload does not bring the old weights back: server lines for HAProxy (`lines`, which
 * begin with `balancer/backend:`), the key of drover.yaml for an embedded balancer, which has no configuration of its own.
 */
export function linesToWrite(config: Config | null, lines: readonly string[]): string[] {
  const written = lines.map((line) => {
    const name = /^([^/ ]+)\/[^ ]+: server /.exec(line)?.[1];
    if (name === undefined || config?.balancers[name]?.kind !== 'embedded') return line;
    return `drover.yaml: balancers.${name}.embedded.carries: destination`;
  });
  return [...new Set(written)];
}
