/**
 * The text of a profile → the experiment it means, or everything that is wrong with it, each with its line and column. Pure:
 * reading the file is the caller's part.
 */
import { createHash } from 'node:crypto';
import type { Experiment } from '../plan/plan.js';
import { explainIssues } from './explain.js';
import { type Finding, formatPath, type Path, type Problem, ProfileError } from './problem.js';
import { type LoadOptions, resolveExperiment, type Unsaid } from './resolve.js';
import { profileSchema } from './schema.js';
import { type ParsedYaml, parseYaml } from './yaml.js';

export type { LoadOptions };

export interface LoadedProfile {
  readonly file: string;
  /** As it was written. */
  readonly text: string;
  readonly experiment: Experiment;
  readonly unsaid: Unsaid;
  /** What was found wrong later, on the machine where it is to run, as an error with lines and columns. */
  refuse(findings: readonly Finding[]): ProfileError;
}

/**
 * Load a profile from its YAML text (1.2, core schema, at most 256 KiB).
 * @param file its path, for messages only
 * @throws ProfileError with every problem of the first stage that finds any: YAML, then the schema, then what needs several
 * keys at once
 */
export function loadProfile(text: string, file: string, options: LoadOptions = {}): LoadedProfile {
  const yaml = parseYaml(text);
  if (!yaml.ok) {
    throw new ProfileError(
      file,
      yaml.problems.map((problem) => ({ path: '', ...problem })),
    );
  }
  const refuse = (findings: readonly Finding[]) => new ProfileError(file, problemsOf(findings, yaml));
  const parsed = profileSchema.safeParse(yaml.value, { reportInput: true });
  if (!parsed.success) throw refuse(explainIssues(parsed.error.issues));
  const profileHash = createHash('sha256').update(text).digest('hex');
  const { experiment, unsaid, findings } = resolveExperiment(parsed.data, profileHash, options);
  if (findings.length > 0) throw refuse(findings);
  return { file, text, experiment, unsaid, refuse };
}

type Yaml = ParsedYaml & { ok: true };

/** Each problem once, in the order of the file, so that an editor's problem list reads like it. */
function problemsOf(findings: readonly Finding[], yaml: Yaml): Problem[] {
  const problems = findings.map((finding): Problem => {
    const path = placeOf(finding, yaml);
    return { path: formatPath(path), ...yaml.locate(path, finding.at ?? 'value'), message: finding.message };
  });
  const once = new Map(problems.map((problem) => [`${problem.path} ${problem.message}`, problem]));
  return [...once.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}

/** Where the value of a finding stands: with the variant of its arm when that names it, else with the baseline, which it has it from. */
function placeOf({ arm, path, or = [] }: Finding, { valueAt }: Yaml): Path {
  if (arm === undefined) return [path, ...or].find((each) => valueAt(each) !== undefined) ?? path;
  const paths = [path, ...or, ...underRoles(path)];
  const variants = valueAt(['variants']);
  const index = Array.isArray(variants) ? variants.findIndex((variant) => variant?.name === arm) : -1;
  const own = paths.map((each) => ['variants', index, ...each]).find((each) => valueAt(each) !== undefined);
  if (own) return own;
  const place = paths.find((each) => valueAt(each) !== undefined) ?? path;
  // `addresses` may be a bare CIDR, which has no keys.
  return typeof valueAt(place.slice(0, 1)) === 'string' ? place.slice(0, 1) : place;
}

/** The sysctls of the role under test may stand under its role too. */
function underRoles(path: Path): Path[] {
  return path[0] === 'sysctls' ? ['proxy', 'client'].map((role) => ['roles', role, ...path]) : [];
}
