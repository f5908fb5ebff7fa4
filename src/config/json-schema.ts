import { fileShape } from './grammar.ts';
import type { JsonSchema } from './shape.ts';

/**
 * JSON Schema (draft 7, which editors understand best) of `drover.yaml`, from the same grammar as the parser. It knows keys,
 * types and forms; rules between values, such as ports that collide, only `drover check` knows.
 */
export function configSchema(): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Drover configuration (drover.yaml)',
    ...fileShape.schema,
  };
}
