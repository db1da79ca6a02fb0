/**
 * What is wrong with a profile: the place in the file, what was found, what is allowed, and the next step.
 */

import { UserError } from '../domain/error.js';
import { printable } from '../domain/printable.js';
import { quote } from '../domain/units.js';

/** Keys and list indexes from the top of the profile, as `['variants', 1, 'sysctls']`. */
export type Path = readonly (string | number)[];

/** A problem that has not yet been given its line and column. */
export interface Finding {
  /** The arm at fault. The paths are then inside of it: its own key is pointed at where it has one, else the baseline's. */
  readonly arm?: string;
  readonly path: Path;
  /** Other places where the value may stand: the first that the file has is pointed at. */
  readonly or?: readonly Path[];
  readonly message: string;
  /** The profile is right, and this machine lacks something for it. */
  readonly lack?: true;
  /** Whether the key itself is at fault (point at it) or its value. */
  readonly at?: 'key' | 'value';
}

/** Findings without those that a variant has from the baseline: each is said once, where it was written. */
export function saidOnce(findings: readonly Finding[]): Finding[] {
  const key = ({ path, message }: Finding, arm: string | undefined) => JSON.stringify([arm, path, message]);
  const all = new Set(findings.map((finding) => key(finding, finding.arm)));
  const own = findings.filter((finding) => finding.arm === 'baseline' || !all.has(key(finding, 'baseline')));
  return [...new Map(own.map((finding) => [key(finding, finding.arm), finding])).values()];
}

/** Report a problem at the first of `paths` that the file has. */
export type Report = (message: string, ...paths: readonly [Path, ...Path[]]) => void;

/** @param arm the name of the arm at fault; undefined where the paths are from the top of the file */
export function reporterFor(findings: Finding[], arm?: string): Report {
  return (message, path, ...or) => {
    findings.push({ ...(arm === undefined ? {} : { arm }), path, or, message });
  };
}

/** A problem at its place in the file. */
export interface Problem {
  /** As `variants[1].sysctls["net.ipv4.tcp_tw_reuse"]`; empty for the whole file. */
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 code units. */
  readonly column: number;
  readonly message: string;
}

/** A profile that cannot run. Its message has one line a problem, each starting `file:line:column:`. */
export class ProfileError extends UserError {
  override name = 'ProfileError';
  readonly file: string;
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[]) {
    super(problems.map((problem) => formatProblem(file, problem)).join('\n'));
    this.file = file;
    this.problems = problems;
  }
}

/** `profiles/x.yaml:12:7: variants[1].sysctls: …`, on one line and free of control characters. */
function formatProblem(file: string, problem: Problem): string {
  const place = problem.path === '' ? '' : `${problem.path}: `;
  return printable(`${file}:${problem.line}:${problem.column}: ${place}${problem.message}`);
}

/** The text of a path; a key that is not a plain word is quoted, since sysctl names have dots of their own. */
export function formatPath(path: Path): string {
  return path
    .map((part, i) => {
      if (typeof part === 'number') return `[${part}]`;
      if (!/^[\w$-]+$/.test(part)) return `[${quote(part)}]`;
      return i === 0 ? part : `.${part}`;
    })
    .join('');
}
