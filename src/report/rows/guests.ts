/** What a reader must know of guests: what ran them, and how long a run waited for its own. Pure. */

import { median } from '../../analysis/statistics.js';
import { LABS } from '../../domain/lab.js';
import { kernelsOf } from '../../plan/kernels.js';
import type { Results } from '../../results/schema.js';
import { formatDuration, plural } from '../format.js';
import { allRuns } from './notices.js';

/** What ran the virtual machine and what that means for the numbers; null where there was none, or several kernels each with its own. */
export function guestNotice({ environment, experiment, kernels }: Results): string | null {
  return LABS[experiment.lab].machine !== 'this' && kernels === undefined ? `Lab: ${environment.lab}.` : null;
}

/** How long runs took before their load began, and their guests to boot; null where no guest was booted. */
export function bootNotice(results: Results): string | null {
  const texts = kernelsOf(results.experiment).flatMap((kernel) => {
    const times = allRuns(results).flatMap((run) => (run.kernel === kernel ? [run.durationMs] : []));
    const boots = times.flatMap(({ boot }) => boot ?? []);
    if (boots.length === 0) return [];
    const setup = median(times.map((time) => time.setup));
    const on = kernel === undefined ? '' : ` on ${kernel}`;
    return [`${formatDuration(setup!)}${on} (${plural(boots.length, 'boot')} of ${formatDuration(median(boots)!)})`];
  });
  if (texts.length === 0) return null;
  return `Until its load began, a run took ${texts.join(', ')}; medians. A guest serves one run after the other, each in a fresh network namespace; one that sets what is the whole kernel’s has a guest of its own.`;
}
