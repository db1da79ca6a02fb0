/**
 * A first run of a program of which nothing is known: whether it is a server, whether it ends, and how it gets its ports.
 */
import { asSeen } from '../analysis/as-seen.js';
import { UserError } from '../domain/error.js';
import { isPortShortage } from '../domain/outcome.js';
import { LabInterrupted } from '../lab/lab.js';
import { interruptible } from '../machine/interrupts.js';
import { destinationCount } from '../plan/arrival.js';
import type { Arm } from '../plan/plan.js';
import type { LoadedProfile } from '../profile/load.js';
import type { Seen } from '../profile/try.js';
import type { Environment, Run } from '../results/schema.js';
import { type Note, withLabs } from './labs.js';
import { planRuns } from './order.js';
import { findPlaces } from './places.js';
import { runOne } from './run-one.js';

export interface Probed {
  readonly seen: Seen;
  /** Of the machine that it was run on. */
  readonly environment: Environment;
}

/**
 * Run the baseline of a profile once.
 * @throws UserError where it cannot be run, and where the program neither connected nor listens
 */
export async function probe({ experiment: wanted }: LoadedProfile, note: Note): Promise<Probed> {
  return withLabs(note, async (makeLab) => {
    const { experiment, all, findings } = await findPlaces(wanted, (kernel, provided) => makeLab(provided, kernel));
    if (findings.length > 0) throw new UserError(findings.map(({ message }) => message).join('\n'));
    const arm = experiment.arms[0]!;
    const planned = planRuns(experiment).find(({ variant }) => variant === arm.name)!;
    const { run } = await interruptible(note, (signal) =>
      runOne({ ...all[0], arm, planned, observe: 'strace', signal, onSample: () => {} }),
    );
    if (run.status === 'interrupted') throw new LabInterrupted('interrupted before the first run had ended');
    if (run.status === 'failed') throw new UserError(run.problems.join('\n'));
    return { seen: { ...whatItIs(run), ...howItConnects(arm, run) }, environment: all[0].environment };
  });
}

function howItConnects(arm: Arm, run: Run): Pick<Seen, 'strategy' | 'ending' | 'destinations'> {
  const { load, proxy, destinations } = asSeen(arm, [run]);
  return {
    strategy: run.proxy?.syscalls?.ways?.[0] ? load.strategy : null,
    ending: proxy && 'ending' in proxy ? proxy.ending : 'unknown',
    destinations: destinationCount(destinations),
  };
}

function whatItIs({
  proxy,
  origin,
  attempts,
  outcomes,
  durationMs,
}: Run): Omit<Seen, keyof ReturnType<typeof howItConnects>> {
  const [door] = proxy?.listening ?? [];
  const fails = Object.keys(outcomes).some(isPortShortage);
  const ended = proxy?.ended ?? null;
  // What only listens waits for somebody who asks.
  if (door !== undefined && !origin?.accepted) return { port: door.port, ends: false, fails, attempts };
  if (!origin?.accepted && !fails) {
    const how = ended ?? `was stopped after ${Math.round(durationMs.load / 1000)} s`;
    const said = proxy?.tail.length ? `; the end of what it printed:\n${proxy.tail.join('\n')}` : '';
    throw new UserError(`the program neither made a connection nor listens on a port: it ${how}${said}`);
  }
  return { port: null, ends: ended !== null, fails, attempts };
}
