/**
 * A validator for the part of JSON Schema 2020-12 that our published schemas use. A keyword that it does not know is an
 * error, so that nothing passes unread.
 */

type Schema = Record<string, unknown>;

const ANNOTATIONS = new Set(['$schema', '$id', 'title', 'description']);

/** What is wrong with a value, one text each, as `/variants/0: …`; empty when it is valid. */
export function violations(schema: unknown, value: unknown, at = ''): string[] {
  if (typeof schema === 'boolean') return schema ? [] : [`${at}: is not allowed`];
  if (!isObject(schema)) throw new Error(`no schema at ${at}`);
  return Object.entries(schema).flatMap(([keyword, rule]) =>
    ANNOTATIONS.has(keyword) ? [] : check(schema, keyword, rule, value, at),
  );
}

function check(schema: Schema, keyword: string, rule: unknown, value: unknown, at: string): string[] {
  const complain = (bad: boolean, what: string) => (bad ? [`${at}: ${what}`] : []);
  switch (keyword) {
    case 'type':
      return complain(![rule].flat().some((type) => hasType(value, String(type))), `is not ${String(rule)}`);
    case 'const':
      return complain(value !== rule, `is not ${JSON.stringify(rule)}`);
    case 'enum':
      return complain(!(rule as unknown[]).includes(value), `is not one of ${JSON.stringify(rule)}`);
    case 'anyOf':
      return complain(matches(rule, value) === 0, 'matches none of the alternatives');
    case 'oneOf':
      return complain(matches(rule, value) !== 1, `matches ${matches(rule, value)} alternatives, not one`);
    case 'if':
      return violations(
        violations(rule, value).length === 0 ? (schema.then ?? true) : (schema.else ?? true),
        value,
        at,
      );
    case 'then':
    case 'else':
      return []; // read with "if"
    case 'pattern':
      return complain(
        typeof value === 'string' && !new RegExp(String(rule), 'u').test(value),
        `does not match ${rule}`,
      );
    case 'minLength':
      return complain(typeof value === 'string' && value.length < Number(rule), 'is too short');
    case 'maxLength':
      return complain(typeof value === 'string' && value.length > Number(rule), 'is too long');
    case 'minimum':
      return complain(typeof value === 'number' && value < Number(rule), `is below ${rule}`);
    case 'maximum':
      return complain(typeof value === 'number' && value > Number(rule), `is above ${rule}`);
    case 'minItems':
      return complain(Array.isArray(value) && value.length < Number(rule), 'has too few items');
    case 'maxItems':
      return complain(Array.isArray(value) && value.length > Number(rule), 'has too many items');
    case 'items': {
      if (!Array.isArray(value)) return [];
      const first = (schema.prefixItems as unknown[] | undefined)?.length ?? 0;
      return value.slice(first).flatMap((item, i) => violations(rule, item, `${at}/${first + i}`));
    }
    case 'prefixItems':
      if (!Array.isArray(value)) return [];
      return (rule as unknown[]).flatMap((item, i) =>
        i < value.length ? violations(item, value[i], `${at}/${i}`) : [],
      );
    case 'required':
      return isObject(value) ? (rule as string[]).flatMap((key) => complain(!(key in value), `lacks ${key}`)) : [];
    case 'properties':
      if (!isObject(value)) return [];
      return Object.entries(rule as Schema).flatMap(([key, inner]) =>
        key in value ? violations(inner, value[key], `${at}/${key}`) : [],
      );
    case 'propertyNames':
      return isObject(value) ? Object.keys(value).flatMap((key) => violations(rule, key, `${at}/${key}`)) : [];
    case 'additionalProperties': {
      if (!isObject(value)) return [];
      const known = Object.keys((schema.properties as Schema | undefined) ?? {});
      const others = Object.entries(value).filter(([key]) => !known.includes(key));
      if (rule === false) return others.map(([key]) => `${at}: has the unknown key ${key}`);
      return others.flatMap(([key, inner]) => violations(rule, inner, `${at}/${key}`));
    }
    default:
      throw new Error(`the validator of the tests does not know ${keyword} (at ${at})`);
  }
}

function matches(alternatives: unknown, value: unknown): number {
  return (alternatives as unknown[]).filter((schema) => violations(schema, value).length === 0).length;
}

function hasType(value: unknown, type: string): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isObject(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
