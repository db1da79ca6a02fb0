/**
 * Which arms change a sysctl that their runs are too short to tell anything of, said before the first run. Pure.
 */
import { tooShort } from '../analysis/too-short.js';
import { parseKernelVersion } from '../capacity/kernel-version.js';
import { type TimeToTell, tellingSeconds, timesToTell } from '../capacity/sysctl-time.js';
import { formatDuration } from '../domain/format.js';
import { armId, experimentOn, kernelsOf } from '../plan/kernels.js';
import type { Arm, Experiment } from '../plan/plan.js';
import type { Environment } from '../results/schema.js';
import { expectedLoadMs } from './duration.js';
import { planRuns } from './order.js';

interface Late {
  readonly arm: Arm;
  readonly lasts: number;
  readonly times: readonly TimeToTell[];
}

/**
 * Sentences: one for each arm whose runs are in vain, and one for each sysctl of which the kernel's rule tells what runs cannot.
 * @param environmentOf by the kernel's name; undefined: nothing is known of it, and the arithmetic is for Linux 6.18
 * @param which `in vain`: only of arms that change nothing else and that no rule settles
 */
export function timeNotes(
  experiment: Experiment,
  environmentOf: (kernel: string | undefined) => Pick<Environment, 'kernel' | 'hz' | 'defaults'> | undefined,
  which: 'all' | 'in vain',
): string[] {
  // The steps of a search have lengths of their own.
  if (experiment.search) return [];
  const runs = planRuns(experiment).length;
  const late = kernelsOf(experiment).flatMap((name) => lateOn(experimentOn(experiment, name), environmentOf(name)));
  const vain = late.flatMap((each) => {
    const open = openTimes(each);
    return open.length > 0 && (which === 'all' || isInVain(each))
      ? [inVain(armId(each.arm), open, each.lasts, runs)]
      : [];
  });
  return which === 'all' ? [...vain, ...ruled(late)] : vain;
}

/** Ids of the variants that change nothing but sysctls whose values are longer than their runs, and that no rule settles. */
export function armsInVain(experiment: Experiment, environmentOf: Parameters<typeof timeNotes>[1]): string[] {
  const late = kernelsOf(experiment).flatMap((name) => lateOn(experimentOn(experiment, name), environmentOf(name)));
  return late.filter(isInVain).map(({ arm }) => armId(arm));
}

/** Of what the runs are too short for and no rule settles. */
function openTimes({ times }: Late): TimeToTell[] {
  return times.filter(({ never }) => never === null);
}

function isInVain(late: Late): boolean {
  const open = openTimes(late).length;
  return open > 0 && open >= late.arm.changes.length;
}

/** The arms that change a sysctl whose value is longer than their runs. */
function lateOn(
  { arms }: Experiment,
  environment: Pick<Environment, 'kernel' | 'hz' | 'defaults'> | undefined,
): Late[] {
  const baseline = arms.find((arm) => arm.baseline);
  if (baseline === undefined) return [];
  const kernel = parseKernelVersion(environment?.kernel ?? '6.18', environment?.hz);
  return arms
    .filter((arm) => !arm.absent && arm !== baseline)
    .map((arm) => {
      const lasts = tellingSeconds(arm, expectedLoadMs(arm));
      const times = timesToTell(arm, baseline, kernel, environment?.defaults ?? {});
      return { arm, lasts, times: times.filter(({ seconds }) => seconds > lasts) };
    });
}

function inVain(id: string, late: readonly TimeToTell[], lasts: number, runs: number): string {
  const needed = Math.max(...late.map(({ seconds }) => seconds));
  const more = formatDuration(Math.ceil(needed - lasts) * runs * 1000);
  return `${id}: ${tooShort(late, lasts)}; if nothing differs, the verdict is "not enough evidence". A longer load, or a fill with a second wave after that time, can tell, and takes about ${more} more for ${runs} runs`;
}

type Ruled = Pick<TimeToTell, 'sysctl'> & { readonly never: string };

function isSame(a: Ruled, b: Ruled): boolean {
  return a.sysctl === b.sysctl && a.never === b.never;
}

/** Each sysctl once, with the arms that change it. */
function ruled(late: readonly Late[]): string[] {
  const all = late.flatMap(({ arm, lasts, times }) =>
    times.flatMap(({ sysctl, never }) => (never === null ? [] : [{ sysctl, never, arm: arm.name, lasts }])),
  );
  const firsts = all.filter((one, i) => all.findIndex((other) => isSame(one, other)) === i);
  return firsts.map((first) => {
    const { sysctl, never, lasts } = first;
    const names = [...new Set(all.filter((other) => isSame(first, other)).map(({ arm }) => arm))].join(', ');
    const short =
      lasts === 0
        ? 'no run closes a connection before its last attempt, so they are too short'
        : `runs of ${Number(lasts.toPrecision(2))} s are too short`;
    return `${short} to show what ${sysctl} does (${names}); the report goes by the kernel's rule: ${never}`;
  });
}
