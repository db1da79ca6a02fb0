/**
 * Third pass, the recovery of an arm: refused where nobody can free the ports, or ask the subject. Pure.
 */
import { formatDuration } from '../domain/format.js';
import { LABS, type LabKind } from '../domain/lab.js';
import type { LoadPlan } from '../plan/plan.js';
import { type SubjectKind, subjectOf } from '../subjects/index.js';
import type { Report } from './problem.js';

const AT = ['load', 'recovery'] as const;
const SHORTEST_EVERY_MS = 10;
const LONGEST_WITHIN_MS = 600_000;

/** @param lab where the arm runs @param subject what is under test */
export function checkRecovery({ recovery }: LoadPlan, lab: LabKind, subject: SubjectKind, report: Report): void {
  if (recovery === undefined) return;
  const { withinMs, everyMs } = recovery;
  if (!LABS[lab].ownNamespace || subjectOf(subject).role === 'elsewhere') {
    const whose = LABS[lab].ownNamespace ? 'an external proxy' : 'programs of this machine';
    return report(
      `recovery would end all sockets of ${whose}: remove recovery, or use lab: { kind: netns } with another subject`,
      AT,
    );
  }
  if (everyMs < SHORTEST_EVERY_MS || everyMs > withinMs)
    report(
      `every is ${formatDuration(everyMs)}; use a time from ${formatDuration(SHORTEST_EVERY_MS)} to that of within (${formatDuration(withinMs)})`,
      [...AT, 'every'],
      AT,
    );
  if (withinMs > LONGEST_WITHIN_MS)
    report(`within is ${formatDuration(withinMs)}; at most ${formatDuration(LONGEST_WITHIN_MS)} is allowed`, [
      ...AT,
      'within',
    ]);
}
