/**
 * A run that the machines of a fleet make: each block on one of them, or each run on all at once.
 */
import type { Elsewhere } from '../experiment/blocks.js';
import { placesIn } from '../experiment/places.js';
import { type Session, startAt } from '../experiment/session.js';
import { FleetError } from '../fleet/bus.js';
import { experimentName } from '../fleet/controller/experiment-name.js';
import { rehearseOn } from '../fleet/controller/rehearse.js';
import { awaitAgents } from '../fleet/controller/roster.js';
import { rehearsalNeeds, runQueues, runsElsewhere } from '../fleet/controller/runs.js';
import { checkTogether, findPartners } from '../fleet/together/partners.js';
import { rehearseTogether } from '../fleet/together/rehearse.js';
import { runsTogether } from '../fleet/together/runs.js';
import type { LoadedProfile } from '../profile/load.js';
import type { LiveServer } from '../report/live/server.js';
import { confirmed } from './confirmed.js';
import { UserError } from './exit.js';
import { type Fleet, withDispatch, withFleet } from './on-fleet.js';
import { commandLine, type FleetOptions, type RunOptions } from './options.js';
import { makeRuns, resumeWith } from './run-blocks.js';
import { note } from './terminal.js';

type Options = RunOptions & FleetOptions;

/** @param loaded null: a folder is resumed @returns the exit code */
export function runOnFleet(loaded: LoadedProfile | null, options: Options, live: LiveServer | null): Promise<number> {
  return loaded ? startOnFleet(loaded, options, live) : resumeOnFleet(options.resume!, options, live);
}

/** Run a profile on a fleet, in a new result folder. @returns the exit code */
function startOnFleet(loaded: LoadedProfile, options: Options, live: LiveServer | null): Promise<number> {
  const { experiment } = loaded;
  if (options.together) checkTogether(experiment);
  return withFleet(options, async (fleet) => {
    const { bus, agents, waitMs } = fleet;
    const there = await awaitAgents(bus, { agents, needs: [rehearsalNeeds(experiment)], waitMs }, note);
    const found = options.together
      ? await rehearseTogether(bus, there, experiment, note)
      : await rehearseOn(bus, there, experiment, note);
    const names = options.together ? { together: there.map(({ name }) => name) } : {};
    return startAt(
      {
        loaded,
        out: options.out,
        name: experiment.name,
        command: commandLine(),
        begin: (common) => ({
          ...common,
          kind: 'run',
          fleet: { experiment: experimentName(experiment.name), ...names },
        }),
        fixed: options.fixed,
        anyway: (why) => (options.force ? Promise.resolve(true) : confirmed(why, 'Make the runs anyway?')),
      },
      found,
      note,
      (session, places) => make(fleet, session, { ...placesIn(session.contents.begin), ...places }, options, live),
    );
  });
}

/** Make the runs that are missing in a folder that a fleet has begun: first those that it has made meanwhile. @returns the exit code */
function resumeOnFleet(dir: string, options: Options, live: LiveServer | null): Promise<number> {
  return resumeWith(dir, options, live, (session, extend) => {
    if (!session.contents.begin.fleet)
      throw new UserError(
        `this machine has begun ${dir}; resume it here, without --fleet: runs of two machines are not pairs`,
      );
    return withFleet(options, async (fleet) => {
      extend();
      session.journal.append({ type: 'resume', at: new Date().toISOString() });
      return make(fleet, session, placesIn(session.contents.begin), options, live);
    });
  });
}

async function make(
  fleet: Fleet,
  session: Session<'run'>,
  places: ReturnType<typeof placesIn>,
  options: Options,
  live: LiveServer | null,
): Promise<number> {
  const { begin } = session.contents;
  const { experiment, together } = begin.fleet!;
  const by = (elsewhere: Elsewhere) => makeRuns(session, places, { elsewhere }, options, live);
  if (together) return by(await togetherOn(fleet, session, experiment, together, live !== null));
  const queues = runQueues(begin.experiment, begin.environment);
  return withDispatch(fleet, { begin, experiment, queues, live: live !== null }, (dispatch) =>
    by(runsElsewhere(dispatch, experiment, session)),
  );
}

/** Rejects with FleetError where a machine that is to take part is not there in time. */
async function togetherOn(
  { bus, waitMs }: Fleet,
  session: Session<'run'>,
  experiment: string,
  names: readonly string[],
  live: boolean,
): Promise<Elsewhere> {
  const there = await awaitAgents(bus, { agents: names.length, needs: [], waitMs }, note);
  const missing = names.filter((name) => !there.some((agent) => agent.name === name));
  if (missing.length > 0)
    throw new FleetError(
      `${missing.join(', ')} took part when the experiment was begun, and is not there`,
      'start it again: with fewer machines it is another load',
    );
  const partners = await findPartners(bus, names, session.contents.begin.experiment);
  return runsTogether({ bus, experiment, partners, session, readyMs: waitMs, live });
}
