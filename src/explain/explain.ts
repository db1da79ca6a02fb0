/**
 * From log lines, an errno or a trace to what ran out. Each line is asked of each program's patterns; what nobody knows is said
 * to be unknown. Pure.
 */
import type { StrategyName } from '../domain/strategy.js';
import { type Candidate, type Groups, groupsOf } from './candidates.js';
import { CAUSES, type Call, type Cause, type CauseName, causeOf } from './cause.js';
import { type Errno, errnoOf } from './errno.js';
import { createLines } from './lines.js';
import type { Pattern, Program } from './pattern.js';
import { profileFor } from './reproduce.js';
import { createTraceReader, type TracedFailure } from './strace.js';

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
  /** Lines of which only the first MOST_OF_A_LINE characters were read. */
  readonly cut: number;
}

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
  let told = 0;
  const note = (at: number, finding: Finding | undefined) => {
    if (!finding) return false;
    const { program, version, call, errno, cause, strategy } = finding;
    const key = [program, version, call, errno, cause, strategy?.name, finding.note].join('|');
    const known = merged.get(key);
    if (!known) merged.set(key, { at, finding });
    else if (known.at < at) known.finding.count += 1;
    else merged.set(key, { at, finding: { ...finding, count: known.finding.count + 1 } });
    return true;
  };
  const lines = createLines({
    trace(line, at) {
      const { traced, failure } = trace.read(line);
      if (failure) note(at, ofTrace(failure, line.trim()));
      if (traced) told += 1;
      return traced;
    },
    line(line, at, candidates, near) {
      if (note(at, ofLine(line, candidates, near))) told += 1;
    },
  });
  return {
    take: lines.take,
    end() {
      const { count, cut, only } = lines.end();
      const bare = only === null ? undefined : bareErrno(only);
      if (bare) return { findings: [ofErrno(bare, only!.trim())], lines: 1, unknown: 0, cut };
      const findings = [...merged.values()].sort((a, b) => a.at - b.at).map(({ finding }) => finding);
      return { findings, lines: count, unknown: count - told, cut };
    },
  };
}

function bareErrno(line: string): Errno | undefined {
  const plain = line.trim().replace(/^(?:errno[ :=]*|error:? *|\()/i, '');
  return errnoOf(plain.replace(/[.!]$/, '').replace(/\)$/, ''));
}

function ofErrno(errno: Errno, line: string): Finding {
  const cause =
    errno === 'EADDRINUSE' || errno === 'EADDRNOTAVAIL'
      ? 'either'
      : (causeOf({ call: 'connect', errno, port: null, address: null }) ?? 'either');
  return finding({ line, call: 'none', errno, cause });
}

function ofTrace(
  { call, errno, port, address, strategy, sure, note }: TracedFailure,
  line: string,
): Finding | undefined {
  const cause = causeOf({ call, errno, port, address });
  if (!cause) return undefined;
  return finding({ version: 'from a trace', line, call, errno, cause, strategy, sure, note });
}

/** @param candidates whose texts are in the line, in the order of trial @param near whether a line around it matches */
function ofLine(
  line: string,
  candidates: readonly Candidate[],
  near: (pattern: RegExp) => boolean,
): Finding | undefined {
  for (const { program, pattern } of candidates) {
    const groups = groupsOf(pattern, line);
    if (!groups || (pattern.near && !near(pattern.near))) continue;
    const made = program ? ofMatch(program, pattern, groups, line) : ofUnknownProgram(groups, line);
    if (made) return made;
  }
  return undefined;
}

function ofMatch(program: Program, pattern: Pattern, groups: Groups, line: string): Finding | undefined {
  const errno = (groups.errno === undefined ? undefined : errnoOf(groups.errno)) ?? pattern.errno ?? null;
  const call = pattern.call ?? (groups.call as Call | undefined) ?? 'none';
  const port = groups.port === undefined ? null : Number(groups.port);
  const cause = pattern.cause ?? causeOf({ call, errno, port, address: groups.address ?? null });
  if (!cause) return undefined;
  const { version, strategy, note } = pattern;
  const shipped = program.profile;
  return finding({ program: program.name, version, line: line.trim(), call, errno, cause, strategy, note, shipped });
}

/** Common words, of a program that is not known: the call and the errno in one line. */
function ofUnknownProgram(groups: Groups, line: string): Finding | undefined {
  const call = groups.call?.toLowerCase() as Call | undefined;
  const errno = errnoOf(groups.errno ?? '');
  if (!call || !errno) return undefined;
  // A line of common words does not say whether the socket was to listen.
  const cause =
    call === 'bind' && errno === 'EADDRINUSE' ? 'either' : causeOf({ call, errno, port: null, address: null });
  return cause && finding({ line: line.trim(), call, errno, cause });
}

/** What is not given is not known. */
interface Parts extends Pick<Finding, 'line' | 'call' | 'errno' | 'cause'> {
  readonly program?: string | null;
  readonly version?: string | null | undefined;
  readonly strategy?: StrategyName | null | undefined;
  readonly sure?: boolean;
  readonly note?: string | null | undefined;
  readonly shipped?: string | null | undefined;
}

function finding({ program = null, version = null, sure = false, note = null, ...rest }: Parts): Finding {
  const { strategy = null, shipped = null, ...parts } = rest;
  const why = CAUSES[parts.cause];
  const likely = strategy ?? (parts.cause === 'four-tuples' ? 'connect' : null);
  // Where nothing ran out, how the port was to be chosen is beside the point.
  const shortage = why.shortage || parts.cause === 'four-tuples-or-ipv6' || parts.cause === 'either';
  return {
    program,
    version,
    ...parts,
    note,
    count: 1,
    why,
    strategy: likely && shortage ? { name: likely, sure } : null,
    reproduce: why.shortage && likely ? { shipped, yaml: profileFor(likely) } : null,
  };
}
