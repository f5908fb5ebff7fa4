/** The part of JSON Schema (draft 7) that the schemas of the configuration and of the reference pages use. Answers where a value does not fit, and why. */
export function validate(schema: unknown, value: unknown, path = '$'): string[] {
  if (!isRecord(schema)) throw new Error(`${path}: not a schema`);
  return Object.entries(schema).flatMap(([keyword, rule]) => check(keyword, rule, schema, value, path));
}

const annotations = new Set(['$schema', 'title', 'description', 'default']);

function check(
  keyword: string,
  rule: unknown,
  schema: Record<string, unknown>,
  value: unknown,
  path: string,
): string[] {
  if (annotations.has(keyword)) return [];
  if (isRecord(value) && objectKeywords.has(keyword)) return checkObject(keyword, rule, schema, value, path);
  if (objectKeywords.has(keyword)) return [];
  switch (keyword) {
    case 'type':
      return [rule].flat().some((type) => isType(type, value)) ? [] : [`${path}: not ${JSON.stringify(rule)}`];
    case 'enum':
      return Array.isArray(rule) && rule.includes(value) ? [] : [`${path}: not one of ${JSON.stringify(rule)}`];
    case 'anyOf':
      return fitting(rule, value, path) > 0 ? [] : [`${path}: fits none`];
    case 'oneOf':
      return fitting(rule, value, path) === 1 ? [] : [`${path}: does not fit exactly one`];
    case 'items':
      return Array.isArray(value) ? value.flatMap((item, index) => validate(rule, item, `${path}[${index}]`)) : [];
    case 'pattern':
      return typeof value !== 'string' || new RegExp(String(rule), 'u').test(value) ? [] : [`${path}: not ${rule}`];
    default:
      return checkBound(keyword, Number(rule), value) ? [] : [`${path}: ${keyword} ${rule}`];
  }
}

function checkBound(keyword: string, bound: number, value: unknown): boolean {
  const number = typeof value === 'number' ? value : null;
  const length = typeof value === 'string' || Array.isArray(value) ? value.length : null;
  switch (keyword) {
    case 'minimum':
      return number === null || number >= bound;
    case 'exclusiveMinimum':
      return number === null || number > bound;
    case 'maximum':
      return number === null || number <= bound;
    case 'exclusiveMaximum':
      return number === null || number < bound;
    case 'minLength':
      return typeof value !== 'string' || value.length >= bound;
    case 'minItems':
      return length === null || typeof value === 'string' || length >= bound;
    case 'maxItems':
      return length === null || typeof value === 'string' || length <= bound;
    default:
      throw new Error(`the validator does not know ${keyword}`);
  }
}

const objectKeywords = new Set([
  'properties',
  'required',
  'additionalProperties',
  'propertyNames',
  'dependencies',
  'minProperties',
]);

function checkObject(
  keyword: string,
  rule: unknown,
  schema: Record<string, unknown>,
  value: Record<string, unknown>,
  path: string,
): string[] {
  const keys = Object.keys(value);
  const known = isRecord(schema.properties) ? schema.properties : {};
  switch (keyword) {
    case 'properties':
      return keys.flatMap((key) =>
        Object.hasOwn(known, key) ? validate(known[key], value[key], `${path}.${key}`) : [],
      );
    case 'required':
      return (Array.isArray(rule) ? rule : []).filter((key) => !keys.includes(key)).map((key) => `${path}: no ${key}`);
    case 'additionalProperties':
      return keys
        .filter((key) => !Object.hasOwn(known, key))
        .flatMap((key) =>
          rule === false ? [`${path}: ${key} is unknown`] : validate(rule, value[key], `${path}.${key}`),
        );
    case 'propertyNames':
      return keys.flatMap((key) => validate(rule, key, `${path} (${key})`));
    case 'dependencies':
      return Object.entries(isRecord(rule) ? rule : {})
        .filter(
          ([key, others]) =>
            keys.includes(key) && Array.isArray(others) && !others.every((other) => keys.includes(other)),
        )
        .map(([key]) => `${path}: ${key} alone`);
    default:
      return keys.length >= Number(rule) ? [] : [`${path}: too few`];
  }
}

function fitting(rules: unknown, value: unknown, path: string): number {
  return (Array.isArray(rules) ? rules : []).filter((rule) => validate(rule, value, path).length === 0).length;
}

function isType(type: unknown, value: unknown): boolean {
  switch (type) {
    case 'object':
      return isRecord(value);
    case 'array':
      return Array.isArray(value);
    case 'null':
      return value === null;
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
