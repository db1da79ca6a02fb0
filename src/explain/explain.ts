/**
 * From log lines, an errno or a trace to what ran out. Each line is asked of each program's patterns; what nobody knows is said
 * to be unknown. Pure.
 */
import type { StrategyName } from '../domain/strategy.js';
import { type Candidate, type Groups, groupsOf } from './candidates.js';
import { causeOf, type Failure } from './cause.js';
import { CAUSES, type Cause, type CauseName } from './causes.js';
import { type Errno, errnoOf } from './errno.js';
import { type Call, type Endpoint, type Facts, factsOf, isWildcard } from './facts.js';
import { createLines } from './lines.js';
import type { Pattern, Program } from './pattern.js';
import { profileFor } from './reproduce.js';
import { createTraceReader, type TracedFailure } from './trace/sockets.js';
import { unwrap } from './unwrap.js';

export interface Finding {
  /** null: not known. */
  readonly program: string | null;
  readonly version: string | null;
  /** The first line that says so, and how many do. */
  readonly line: string;
  count: number;
  readonly call: Call;
  readonly errno: Errno | null;
  readonly cause: CauseName;
  readonly why: Cause;
  /** What the line itself says, apart from what follows; null: only its program's words say it, or it is a trace. */
  readonly facts: Facts | null;
  /**
   * `certain`: the trace shows it; `likely`: the line or what is known of the program says so; `open`: several causes fit, and the answer
   * names what tells them apart.
   */
  readonly sure: 'certain' | 'likely' | 'open';
  /** null: cannot be told, or it does not matter. */
  readonly strategy: { readonly name: StrategyName; readonly sure: boolean } | null;
  readonly note: string | null;
  /** Where it is a shortage: the profile that ships with that story, and one made for the strategy. */
  readonly reproduce: { readonly shipped: string | null; readonly yaml: string } | null;
}

export interface Explanation {
  /** Different ones, in the order of their first line. */
  readonly findings: readonly Finding[];
  readonly lines: number;
  /** Lines of which nothing was made: normal ones among them. */
  readonly unknown: number;
  /** The first of those that name an errno and yet led to nothing. */
  readonly notUnderstood: readonly string[];
  /** Lines of which only the first MOST_OF_A_LINE characters were read. */
  readonly cut: number;
}

/** Lines that are shown of those which name an errno and led to nothing. */
const MOST_NOT_UNDERSTOOD = 5;

/** @param text log lines, output of strace, or nothing but an errno */
export function explain(text: string): Explanation {
  const explainer = createExplainer();
  explainer.take(text);
  return explainer.end();
}

/** Explains a text that comes in parts, of which it keeps a few lines: time grows with the text's length, memory does not. */
export interface Explainer {
  /** @param part of any length, cut anywhere */
  take(part: string): void;
  /** All that was found; called once. */
  end(): Explanation;
}

/** An explainer that has read nothing. */
export function createExplainer(): Explainer {
  const trace = createTraceReader();
  const merged = new Map<string, { at: number; finding: Finding }>();
  const notUnderstood: string[] = [];
  let told = 0;
  const note = (at: number, finding: Finding | undefined) => {
    if (!finding) return false;
    const key = [
      finding.program,
      finding.version,
      finding.call,
      finding.errno,
      finding.cause,
      finding.strategy?.name,
      finding.note,
    ].join('|');
    const known = merged.get(key);
    if (!known) merged.set(key, { at, finding });
    else if (known.at < at) known.finding.count += 1;
    else merged.set(key, { at, finding: { ...finding, count: known.finding.count + 1 } });
    return true;
  };
  const lines = createLines({
    trace(line, at) {
      const { traced, failure } = trace.read(unwrap(line));
      if (failure) note(at, ofTrace(failure, line.trim()));
      if (traced) told += 1;
      return traced;
    },
    line(line, at, candidates, near) {
      if (note(at, ofLine(unwrap(line).trim(), candidates, near))) told += 1;
      else if (notUnderstood.length < MOST_NOT_UNDERSTOOD && factsOf(unwrap(line))) notUnderstood.push(line.trim());
    },
  });
  return {
    take: lines.take,
    end() {
      const { count, cut, only } = lines.end();
      const bare = only === null ? undefined : bareErrno(only);
      if (bare) return { findings: [ofErrno(bare, only!.trim())], lines: 1, unknown: 0, notUnderstood, cut };
      const findings = [...merged.values()].sort((a, b) => a.at - b.at).map(({ finding }) => finding);
      findings.push(...trace.succeeded().map(ofSuccess));
      return { findings, lines: count, unknown: count - told, notUnderstood, cut };
    },
  };
}

function bareErrno(line: string): Errno | undefined {
  const plain = line.trim().replace(/^(?:errno[ :=]*|error:? *|\()/i, '');
  return errnoOf(plain.replace(/[.!]$/, '').replace(/\)$/, ''));
}

const NOTHING: Omit<Failure, 'call' | 'errno'> = {
  protocol: null,
  system: null,
  local: null,
  remote: null,
  strategy: null,
};

function ofErrno(errno: Errno, line: string): Finding {
  const cause =
    errno === 'EADDRINUSE' || errno === 'EADDRNOTAVAIL'
      ? 'either'
      : (causeOf({ ...NOTHING, call: 'connect', errno }) ?? 'either');
  return finding({ line, call: 'none', errno, cause });
}

function ofTrace(traced: TracedFailure, line: string): Finding | undefined {
  const { call, errno, strategy, sure, note } = traced;
  const cause = traced.cause ?? causeOf(traced);
  if (!cause) return undefined;
  return finding({ version: 'from a trace', line, call, errno, cause, strategy, sure, note });
}

function ofSuccess({ strategy, count }: { strategy: StrategyName; count: number }): Finding {
  const line = `${count} of the traced connections began`;
  return {
    ...finding({ version: 'from a trace', line, call: 'none', errno: null, cause: 'succeeds', strategy, sure: true }),
    count,
  };
}

/** @param candidates whose texts are in the line, in the order of trial @param near whether a line around it matches */
function ofLine(
  line: string,
  candidates: readonly Candidate[],
  near: (pattern: RegExp) => boolean,
): Finding | undefined {
  let facts: Facts | null | undefined;
  for (const { program, pattern } of candidates) {
    const groups = groupsOf(pattern, line);
    if (!groups || (pattern.near && !near(pattern.near))) continue;
    if (facts === undefined) facts = withSystem(factsOf(line), near);
    const made = program ? ofMatch(program, pattern, groups, facts, line) : ofFacts(facts, line);
    if (made) return made;
  }
  return undefined;
}

/** libuv's numbers of macOS and Windows, which Node.js prints on a line of their own below the message. */
const BSD_NEAR = /\berrno: -4[89]\b/;
const WINDOWS_NEAR = /\berrno: -40\d\d\b/;

function withSystem(facts: Facts | null, near: (pattern: RegExp) => boolean): Facts | null {
  if (facts === null || facts.system === 'windows') return facts;
  return near(BSD_NEAR) ? { ...facts, system: 'bsd' } : near(WINDOWS_NEAR) ? { ...facts, system: 'windows' } : facts;
}

/** A field of an error that is printed over several lines: the line with its message says more. */
const FIELD = /^\s{0,32}['"]?(?:errno|code|number|syscall)['"]?\s{0,4}[:=]/;

/** What a program's pattern adds to the facts: its groups and its own words come first. */
function ofMatch(
  { name, profile }: Program,
  pattern: Pattern,
  groups: Groups,
  facts: Facts | null,
  line: string,
): Finding | undefined {
  const errno =
    (groups.errno === undefined ? undefined : errnoOf(groups.errno)) ?? pattern.errno ?? facts?.errno ?? null;
  const call = pattern.call ?? (groups.call as Call | undefined) ?? callOf(pattern, errno, facts?.call ?? 'none');
  const seen: Endpoint | null =
    groups.address === undefined && groups.port === undefined
      ? null
      : { address: groups.address ?? '', port: groups.port === undefined ? null : Number(groups.port) };
  const bound = call === 'bind' || call === 'listen';
  const strategy = pattern.strategy ?? (call === 'none' ? null : (pattern.by?.[bound ? 'bind' : 'connect'] ?? null));
  const cause =
    pattern.cause ??
    causeOf({
      call,
      errno,
      protocol: pattern.protocol ?? facts?.protocol ?? null,
      system: facts?.system ?? null,
      local: (bound ? seen : null) ?? facts?.local ?? null,
      remote: (bound ? null : seen) ?? facts?.remote ?? null,
      strategy,
    });
  if (!cause) return undefined;
  const { version, note } = pattern;
  return finding({
    program: name,
    version,
    line: line.trim(),
    facts,
    call,
    errno,
    cause,
    strategy,
    note,
    shipped: profile,
  });
}

/** The call that failed, of a program that listens to nothing in such lines. */
function callOf({ by }: Pattern, errno: Errno | null, said: Call): Call {
  // connect() never gives EADDRINUSE on Linux: a bind() before it did.
  if (by?.bind && errno === 'EADDRINUSE') return 'bind';
  return by?.connect && errno === 'EADDRNOTAVAIL' && said !== 'bind' ? 'connect' : said;
}

/** Common words, of a program that is not known. */
function ofFacts(facts: Facts | null, line: string): Finding | undefined {
  if (!facts || FIELD.test(line)) return undefined;
  const { call, errno, local } = facts;
  // A refusal or a time-out is worth a word only where connect() is named: they are no shortage of this host.
  const cause = causeOf({ ...facts, strategy: null });
  if (!cause) return undefined;
  const any = local !== null && isWildcard(local.address);
  const strategy = cause === 'ports-of-the-address' ? (any ? 'bind-any' : 'bind') : null;
  return finding({ line: line.trim(), facts, call, errno, cause, strategy });
}

interface Parts {
  readonly program?: string | null;
  readonly version?: string | undefined;
  readonly line: string;
  readonly facts?: Facts | null;
  readonly call: Call;
  readonly errno: Errno | null;
  readonly cause: CauseName;
  readonly strategy?: StrategyName | null;
  readonly sure?: boolean;
  readonly note?: string | null | undefined;
  readonly shipped?: string | undefined;
}

/** What is said beside, and which setting acts because of an option of the socket (inet_csk_find_open_port(), Linux 5.7). */
function noteOf({ cause, note }: Parts, strategy: StrategyName | null): string | null {
  const shares =
    cause === 'ports-of-the-address' && (strategy === 'bind-reuseaddr' || strategy === 'bind-any-reuseaddr');
  if (!shares || note?.includes('ip_autobind_reuse')) return note ?? null;
  const acts = 'SO_REUSEADDR is set, so ip_autobind_reuse=1 lets bind() share ports (Linux 5.7 and newer)';
  return note ? `${note}; ${acts}` : acts;
}

function finding({ strategy = null, sure = false, shipped, ...parts }: Parts): Finding {
  const why = CAUSES[parts.cause];
  const tuples = parts.cause === 'four-tuples' || parts.cause === 'four-tuples-or-address';
  const likely = strategy ?? (tuples ? 'connect' : null);
  // Where nothing ran out, how the port was to be chosen is beside the point.
  const matters = why.shortage || why.open === true || parts.cause === 'named-tuple' || parts.cause === 'succeeds';
  return {
    ...parts,
    program: parts.program ?? null,
    version: parts.version ?? null,
    facts: parts.facts ?? null,
    note: noteOf(parts, strategy),
    count: 1,
    why,
    sure: why.open ? 'open' : sure ? 'certain' : 'likely',
    strategy: likely && matters ? { name: likely, sure } : null,
    reproduce: why.shortage && likely ? { shipped: shipped ?? null, yaml: profileFor(likely) } : null,
  };
}
