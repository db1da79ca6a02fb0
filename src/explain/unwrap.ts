/**
 * What was put around a line on its way: by docker compose, Kubernetes' log files, journald and loggers that write JSON. Pure.
 */

/** `service-1  | text`, as docker compose prints it. */
const COMPOSE = /^[\w.-]{1,64}\s{1,40}\| /;
/** The log files of containers: time, stream, whether the line is whole. cri-api's logging format. */
const CRI = /^\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:\d\d) std(?:out|err) [FP] /;
/** Fields that hold the text of an entry: of journald, Docker, and loggers. */
const TEXTS = [
  'MESSAGE',
  'message',
  'msg',
  'log',
  'text',
  'event',
  'error',
  'err',
  'exception',
  'stack',
  'reason',
] as const;
/** Parts of an entry that are looked into, and how deep. */
const MOST_PARTS = 32;

/** The line that a program wrote, without what stands around it. */
export function unwrap(line: string): string {
  let text = line;
  for (const prefix of [COMPOSE, CRI, COMPOSE]) text = text.replace(prefix, '');
  const begin = text.indexOf('{"');
  if (begin < 0 || begin > 200 || !text.trimEnd().endsWith('}')) return text;
  try {
    const parts = partsOf(JSON.parse(text.slice(begin)), 2).slice(0, MOST_PARTS);
    return parts.length === 0 ? text : parts.join(' ');
  } catch {
    return text;
  }
}

/** The texts of an entry, those first that loggers use for it. */
function partsOf(entry: unknown, depth: number): string[] {
  if (entry === null || typeof entry !== 'object') return [];
  const fields = new Map(Object.entries(entry as Record<string, unknown>));
  return TEXTS.flatMap((name) => {
    const value = fields.get(name);
    if (typeof value === 'string') return [value.trim()];
    // Node's loggers keep an error's fields apart: syscall and code say what its message may not.
    return depth > 0 ? partsOf(value, depth - 1) : [];
  });
}
