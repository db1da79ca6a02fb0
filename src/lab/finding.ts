/**
 * What `bindstorm doctor` finds, one thing a line.
 */
export interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'warning' | 'missing';
  readonly detail: string;
  /** What to do about it; null when nothing needs doing. */
  readonly remedy: string | null;
}

/** It is there, or not needed. */
export function ok(what: string, detail: string, remedy: string | null = null): Finding {
  return { what, state: 'ok', detail, remedy };
}

/** Something cannot be done here; experiments can. */
export function warning(what: string, detail: string, remedy: string): Finding {
  return { what, state: 'warning', detail, remedy };
}

/** Without it no experiment runs. */
export function missing(what: string, detail: string, remedy: string | null): Finding {
  return { what, state: 'missing', detail, remedy };
}
