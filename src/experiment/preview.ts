/**
 * What a profile would do on this machine: which runs, for how long, and what is predicted of each arm. No load.
 */
import { atMachineScale, predictAtScale } from '../capacity/at-scale.js';
import { type KernelVersion, parseKernelVersion } from '../capacity/kernel-version.js';
import { predictArm } from '../capacity/predict.js';
import type { Needed } from '../capacity/sizing.js';
import type { Walls } from '../capacity/time-until.js';
import { UserError } from '../domain/error.js';
import { LabInterrupted } from '../lab/lab.js';
import { arrivalDurationMs, destinationCount, scheduledAttempts } from '../plan/arrival.js';
import { formatArrival } from '../plan/arrival-settings.js';
import { armId, experimentOn, kernelsOf } from '../plan/kernels.js';
import type { Arm, Experiment } from '../plan/plan.js';
import { loadsOf } from '../plan/scenario.js';
import type { Environment, Prediction, RealCapacity } from '../results/schema.js';
import type { ProxyKind } from '../subjects/index.js';
import type { Busy } from './busy.js';
import { designNotes } from './design.js';
import { expectedExperimentMs, expectedSpanMs } from './duration.js';
import { type Note, withLabs } from './labs.js';
import { planRuns } from './order.js';
import { findPlaces, type Places } from './places.js';
import { shortagesByKernel } from './shortages.js';
import { timeNotes } from './time-notes.js';

/** What is predicted of an arm. */
export interface ArmPreview {
  readonly name: string;
  /** With several kernels. */
  readonly kernel?: string;
  /** What the kernel lacks of what the arm names → since or until when kernels have it; with `absent` the arm is not run. */
  readonly missing?: Readonly<Record<string, string>>;
  readonly absent?: boolean;
  readonly changes: readonly string[];
  readonly addresses: number;
  readonly destinations: number;
  readonly attempts: number | null;
  /** When attempts end, and the bound of a fill, in words. */
  readonly arrival: string;
  /** The arrivals of one run last so long; null: as long as it takes. */
  readonly seconds: number | null;
  readonly prediction: Prediction;
  readonly walls: Walls;
  /** The kind of proxy under test, in which the prediction's call fails; null: the harness's own sockets. */
  readonly proxy: ProxyKind | null;
  /** What it comes to on a machine, whose range the lab may have scaled down. */
  readonly real: RealCapacity;
  /** With a rate that somebody needs: how many local addresses it takes there to sustain it. */
  readonly needed?: { readonly rate: number; readonly full: Needed; readonly slow: Needed };
  /** Whether the outcome counts of a run are the same each time, and why. */
  readonly deterministic: boolean;
  readonly why: string;
}

/** What a profile would do, as `plan --json` prints it. */
export interface Preview {
  readonly experiment: string;
  readonly description: string | null;
  readonly runs: number;
  /** Of all runs, on the machine as busy as it is now. */
  readonly expectedSeconds: number;
  /** Between which it should end: everything decided at the first look, or nothing before the last. */
  readonly expectedWithin: { readonly least: number; readonly most: number };
  /** How many times as long as on a quiet machine the CPU's part of a run is expected to take here, and by what sign (null: the machine is quiet). */
  readonly busy: Busy;
  /** The release; with several kernels, that of the first. */
  readonly kernel: string;
  /** With several kernels: their names and releases. */
  readonly kernels?: readonly { readonly name: string; readonly release: string }[];
  readonly goal: string;
  readonly arms: readonly ArmPreview[];
  /** What this machine lacks for it, or what a reader must know. */
  readonly notes: readonly string[];
}

export type Attempted<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** The places of an experiment, or why there are none. Rejects with LabInterrupted, and with what is a fault of the program. */
export async function tryPlaces(experiment: Experiment, note: Note): Promise<Attempted<Places>> {
  try {
    const value = await withLabs(note, (makeLab) =>
      findPlaces(experiment, (kernel, provided) => makeLab(provided, kernel), { say: note }),
    );
    return { ok: true, value };
  } catch (error) {
    if (error instanceof LabInterrupted || !(error instanceof UserError)) throw error;
    return { ok: false, reason: error.explain() };
  }
}

/** What an experiment would do here. Without a lab the arithmetic still holds, so that its lack is a note. */
export function preview(experiment: Experiment, places: Attempted<Places>, busy: Busy): Preview {
  const known = places.ok ? places.value.all : [];
  const environmentOf = (kernel: string | undefined) => known.find(({ name }) => name === kernel)?.environment;
  const parts = kernelsOf(experiment).map((name) => {
    const environment = environmentOf(name);
    const release = environment?.kernel ?? '6.18';
    const version = parseKernelVersion(release, environment?.hz);
    const part = experimentOn(experiment, name);
    const arms = part.arms.map((arm) => describeArm(arm, version, environment ?? {}, part));
    return { name, release, environment, part, arms };
  });
  const [first] = parts;
  const span = expectedSpanMs(experiment, environmentOf, busy.slower);
  return {
    experiment: experiment.name,
    description: experiment.description,
    runs: planRuns(experiment).length,
    expectedSeconds: expectedExperimentMs(experiment, environmentOf, busy.slower) / 1000,
    expectedWithin: { least: span.least / 1000, most: span.most / 1000 },
    busy,
    kernel: first!.release,
    ...(experiment.kernels ? { kernels: parts.map(({ name, release }) => ({ name: name!, release })) } : {}),
    goal: experiment.goal,
    arms: parts.flatMap(({ arms }) => arms),
    notes: [
      ...(places.ok
        ? [...places.value.findings.map(({ message }) => `it cannot run here: ${message}`), ...places.value.warnings]
        : [`it cannot run here: ${places.reason}`, `the arithmetic is for Linux ${first!.release}`]),
      ...shortagesByKernel(
        experiment,
        environmentOf,
        (id) => parts.flatMap(({ arms }) => arms).find((arm) => armId(arm) === id)!.prediction,
      ),
      ...timeNotes(experiment, environmentOf, 'all'),
      ...(experiment.search
        ? ['the rate is searched for (find: max-rate): runs, attempts and times are those of one step of it']
        : designNotes(experiment, environmentOf, 'all')),
    ],
  };
}

function describeArm(
  arm: Arm,
  kernel: KernelVersion,
  { defaults = {}, engine }: Partial<Pick<Environment, 'defaults' | 'engine'>>,
  experiment: Experiment,
): ArmPreview {
  const { neighbours, requiredRate: rate } = experiment;
  const { prediction, walls, determinism } = predictArm(arm, kernel, defaults, neighbours);
  const baseline = experiment.arms.find((each) => each.baseline) ?? arm;
  const onMachine = predictAtScale(arm, baseline, kernel, defaults, neighbours, engine);
  const loads = loadsOf(arm);
  const durations = loads.map(({ load }) => arrivalDurationMs(load.arrival));
  const attempts = loads.map(({ load }) => scheduledAttempts(load.arrival));
  return {
    name: arm.name,
    ...(arm.kernel === undefined ? {} : { kernel: arm.kernel }),
    ...(arm.missing ? { missing: arm.missing } : {}),
    ...(arm.absent ? { absent: true } : {}),
    changes: arm.changes,
    addresses: arm.addresses.length,
    destinations: loads.reduce(
      (sum, { shared, destinations }) => sum + (shared ? 0 : destinationCount(destinations)),
      0,
    ),
    attempts: attempts.some((count) => count === null)
      ? null
      : attempts.reduce<number>((sum, count) => sum + count!, 0),
    arrival: loads.map(({ load }) => formatArrival(load.arrival)).join(', and '),
    seconds: durations.some((ms) => ms === null) ? null : Math.max(...durations.map((ms) => ms!)) / 1000,
    prediction,
    walls,
    proxy: arm.proxy?.kind ?? null,
    real: atMachineScale(arm, baseline, kernel, defaults, neighbours, engine),
    ...(rate === undefined || typeof onMachine === 'string'
      ? {}
      : { needed: { rate, full: onMachine.addressesFor(rate, 'hard'), slow: onMachine.addressesFor(rate, 'slow') } }),
    ...determinism(experiment),
  };
}
