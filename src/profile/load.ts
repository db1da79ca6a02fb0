/**
 * The text of a profile → the experiment it means, or everything that is wrong with it, each with its line and column. Pure:
 * reading the file is the caller's part.
 */
import { createHash } from 'node:crypto';
import type { Experiment } from '../plan/plan.js';
import { explainIssues } from './explain.js';
import { type Finding, formatPath, ProfileError } from './problem.js';
import { type ResolveContext, resolveExperiment } from './resolve.js';
import { type ProfileInput, profileSchema } from './schema.js';
import { type ParsedYaml, parseYaml } from './yaml.js';

/** What the command line says instead of the profile. */
export type LoadOptions = Omit<ResolveContext, 'profileHash'>;

export interface LoadedProfile {
  readonly file: string;
  /** As it was written. */
  readonly text: string;
  /** As the schema reads it: units parsed, nothing filled in. */
  readonly input: ProfileInput;
  readonly experiment: Experiment;
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
  const parsed = profileSchema.safeParse(yaml.value, { reportInput: true });
  if (!parsed.success) throw profileError(file, explainIssues(parsed.error.issues), yaml);
  const profileHash = createHash('sha256').update(text).digest('hex');
  const { experiment, problems } = resolveExperiment(parsed.data, { ...options, profileHash });
  if (problems.length > 0) throw profileError(file, problems, yaml);
  const refuse = (findings: readonly Finding[]) => profileError(file, findings, yaml);
  return { file, text, input: parsed.data, experiment, refuse };
}

/** In the order of the file, so that an editor's problem list reads like it. */
function profileError(file: string, findings: readonly Finding[], yaml: ParsedYaml & { ok: true }): ProfileError {
  const problems = findings.map(({ path, message, at }) => ({
    path: formatPath(path),
    ...yaml.locate(path, at ?? 'value'),
    message,
  }));
  return new ProfileError(
    file,
    problems.sort((a, b) => a.line - b.line || a.column - b.column),
  );
}
