/**
 * A search whose arms the machines of a fleet make, each arm on one of them.
 */
import { placesIn } from '../experiment/places.js';
import { type SearchOverrides, searchOptions, searchRatesElsewhere } from '../experiment/rate-search.js';
import { resumeSession, type Session, startAt } from '../experiment/session.js';
import { experimentName } from '../fleet/controller/experiment-name.js';
import { rehearseOn } from '../fleet/controller/rehearse.js';
import { awaitAgents } from '../fleet/controller/roster.js';
import { rehearsalNeeds, runQueues } from '../fleet/controller/runs.js';
import { searchElsewhere } from '../fleet/controller/searches.js';
import type { LoadedProfile } from '../profile/load.js';
import { EXIT, UserError } from './exit.js';
import { finishSearch } from './finish-search.js';
import { type Fleet, withDispatch, withFleet } from './on-fleet.js';
import { commandLine, type FleetOptions, type RunOptions } from './options.js';
import { note } from './terminal.js';

type Options = RunOptions & FleetOptions;

/** Search on a fleet, in a new result folder. @param dir of its own; absent: one in `out` @returns the exit code */
export function startSearchOnFleet(
  loaded: LoadedProfile,
  options: Options & SearchOverrides,
  dir?: string,
): Promise<number> {
  const { experiment } = loaded;
  const searched = searchOptions(experiment, options);
  return withFleet(options, async (fleet) => {
    const { bus, agents, waitMs } = fleet;
    const there = await awaitAgents(bus, { agents, needs: [rehearsalNeeds(experiment)], waitMs }, note);
    return startAt(
      {
        loaded,
        out: options.out,
        name: `${experiment.name}-search`,
        dir,
        command: commandLine(),
        begin: (common) => ({
          ...common,
          kind: 'search',
          options: searched,
          fleet: { experiment: experimentName(experiment.name) },
        }),
      },
      await rehearseOn(bus, there, experiment, note),
      note,
      (session, { warnings }) => make(fleet, session, warnings, options),
    );
  });
}

/** Make what is missing in a folder that a fleet has begun: first what it has made meanwhile. @returns the exit code */
export function resumeSearchOnFleet(dir: string, options: Options): Promise<number> {
  return resumeSession(dir, 'search', note, (session) => {
    if (!session.contents.begin.fleet)
      throw new UserError(
        `this machine has begun ${dir}; resume it here, without --fleet: rates of two machines are not one search`,
      );
    return withFleet(options, async (fleet) => {
      session.journal.append({ type: 'resume', at: new Date().toISOString() });
      return make(fleet, session, [], options);
    });
  });
}

function make(
  fleet: Fleet,
  session: Session<'search'>,
  warnings: readonly string[],
  options: Options,
): Promise<number> {
  const { begin } = session.contents;
  const { experiment } = begin.fleet!;
  const queues = runQueues(begin.experiment, begin.environment);
  return withDispatch(fleet, { begin, experiment, queues }, async (dispatch) => {
    let wasLost = () => false;
    const code = await finishSearch(session, warnings, options, (on) => {
      const elsewhere = searchElsewhere(dispatch, experiment, session, on.say);
      ({ wasLost } = elsewhere);
      return searchRatesElsewhere(session, placesIn(begin), elsewhere, on);
    });
    // No machine was there to make the rest.
    return wasLost() && code !== EXIT.interrupted ? EXIT.noLab : code;
  });
}
