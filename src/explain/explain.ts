/**
 * From log lines, an errno or a trace to what ran out. Each line is asked of each program's patterns; what nobody knows is said
 * to be unknown. Pure.
 */
import type { StrategyName } from '../domain/strategy.js';
import { CAUSES, type Call, type Cause, type CauseName, causeOf } from './cause.js';
import { ERRNO_TEXT, type Errno, errnoOf } from './errno.js';
import type { Pattern, Program } from './pattern.js';
import { PROGRAMS } from './programs/index.js';
import { profileFor } from './reproduce.js';
import { readTrace, type TracedFailure } from './strace.js';

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
}

/** Lines around one in which a program says more of it. */
const NEAR = 12;

/** @param text log lines, output of strace, or nothing but an errno */
export function explain(text: string): Explanation {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const bare = lines.length === 1 ? bareErrno(lines[0]!) : undefined;
  if (bare) return { findings: [ofErrno(bare, lines[0]!.trim())], lines: 1, unknown: 0 };
  const { failures, traced } = readTrace(lines);
  const found: { at: number; finding: Finding }[] = failures.flatMap((failure) => {
    const finding = ofTrace(failure);
    return finding ? [{ at: failure.at, finding }] : [];
  });
  let unknown = 0;
  for (const [at, line] of lines.entries()) {
    if (traced.has(at)) continue;
    const finding = ofLine(line, at, lines);
    if (finding) found.push({ at, finding });
    else unknown += 1;
  }
  return {
    findings: merged(found.sort((a, b) => a.at - b.at).map(({ finding }) => finding)),
    lines: lines.length,
    unknown,
  };
}

function bareErrno(line: string): Errno | undefined {
  return errnoOf(line.replace(/^\s*(?:errno[ :=]*|error:? *|\()|\)?[.!]?\s*$/gi, ''));
}

function ofErrno(errno: Errno, line: string): Finding {
  const cause =
    errno === 'EADDRINUSE' || errno === 'EADDRNOTAVAIL'
      ? 'either'
      : (causeOf({ call: 'connect', errno, port: null, address: null }) ?? 'either');
  return finding({ program: null, line, call: 'none', errno, cause, strategy: null, sure: false });
}

function ofTrace({ line, call, errno, port, address, strategy, sure, note }: TracedFailure): Finding | undefined {
  const cause = causeOf({ call, errno, port, address });
  if (!cause) return undefined;
  return finding({ program: null, version: 'from a trace', line, call, errno, cause, strategy, sure, note });
}

function ofLine(line: string, at: number, lines: readonly string[]): Finding | undefined {
  for (const program of PROGRAMS) {
    for (const pattern of program.patterns) {
      const match = pattern.match.exec(line);
      if (!match) continue;
      if (
        pattern.near &&
        !lines.slice(Math.max(0, at - NEAR), at + NEAR + 1).some((other) => pattern.near!.test(other))
      )
        continue;
      const made = ofMatch(program, pattern, match, line);
      if (made) return made;
    }
  }
  return ofUnknownProgram(line);
}

function ofMatch(
  program: Program,
  pattern: Pattern,
  { groups = {} }: RegExpExecArray,
  line: string,
): Finding | undefined {
  const errno = (groups.errno === undefined ? undefined : errnoOf(groups.errno)) ?? pattern.errno ?? null;
  const call = pattern.call ?? (groups.call as Call | undefined) ?? 'none';
  const port = groups.port === undefined ? null : Number(groups.port);
  const cause = pattern.cause ?? causeOf({ call, errno, port, address: groups.address ?? null });
  if (!cause) return undefined;
  return finding({
    program: program.name,
    version: pattern.version,
    line: line.trim(),
    call,
    errno,
    cause,
    strategy: pattern.strategy,
    sure: false,
    note: pattern.note,
    shipped: program.profile,
  });
}

const COMMON = new RegExp(
  `\\b(?<call>bind|connect|listen|socket|accept)\\b.*?(?<errno>${ERRNO_TEXT}|\\bE(?:ADDRINUSE|ADDRNOTAVAIL|MFILE|NFILE)\\b)`,
  'i',
);

/** Common words: the call and the errno in one line. */
function ofUnknownProgram(line: string): Finding | undefined {
  const match = COMMON.exec(line);
  const call = match?.groups?.call?.toLowerCase() as Call | undefined;
  const errno = match && errnoOf(match.groups!.errno!);
  if (!call || !errno) return undefined;
  // A line of common words does not say whether the socket was to listen.
  const cause =
    call === 'bind' && errno === 'EADDRINUSE' ? 'either' : causeOf({ call, errno, port: null, address: null });
  return cause && finding({ program: null, line: line.trim(), call, errno, cause, strategy: null, sure: false });
}

interface Parts {
  readonly program: string | null;
  readonly version?: string | undefined;
  readonly line: string;
  readonly call: Call;
  readonly errno: Errno | null;
  readonly cause: CauseName;
  readonly strategy: StrategyName | null;
  readonly sure: boolean;
  readonly note?: string | null | undefined;
  readonly shipped?: string | undefined;
}

function finding({ strategy, sure, shipped, ...parts }: Parts): Finding {
  const why = CAUSES[parts.cause];
  const likely = strategy ?? (parts.cause === 'four-tuples' ? 'connect' : null);
  // Where nothing ran out, how the port was to be chosen is beside the point.
  const shortage = why.shortage || parts.cause === 'four-tuples-or-ipv6' || parts.cause === 'either';
  return {
    ...parts,
    version: parts.version ?? null,
    note: parts.note ?? null,
    count: 1,
    why,
    strategy: likely && shortage ? { name: likely, sure } : null,
    reproduce: why.shortage && likely ? { shipped: shipped ?? null, yaml: profileFor(likely) } : null,
  };
}

/** Equal findings of several lines are one. */
function merged(findings: readonly Finding[]): Finding[] {
  const byKind = new Map<string, Finding>();
  for (const one of findings) {
    const key = [one.program, one.version, one.call, one.errno, one.cause, one.strategy?.name, one.note].join('|');
    const known = byKind.get(key);
    if (known) known.count += 1;
    else byKind.set(key, { ...one });
  }
  return [...byKind.values()];
}
