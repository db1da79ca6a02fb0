/**
 * The catalogue of fixes whose tables the machines of a fleet make.
 */
import { type CatalogueChoice, tablesOf } from '../experiment/catalogue.js';
import { createResultFolder } from '../experiment/folder.js';
import { beginSession, resumeSession, type Session } from '../experiment/session.js';
import { experimentName } from '../fleet/controller/experiment-name.js';
import { awaitAgents, whyNobody } from '../fleet/controller/roster.js';
import { tableNeeds, tableQueues, tablesElsewhere } from '../fleet/controller/tables.js';
import { UserError } from './exit.js';
import { type Fleet, withDispatch, withFleet } from './on-fleet.js';
import type { FleetOptions, RunOptions } from './options.js';
import { beginOfFixes, makeTables } from './run-catalogue.js';
import { note } from './terminal.js';

type Options = RunOptions & FleetOptions;

/** Try the catalogue on a fleet, in a new result folder. @returns the exit code */
export function startFixesOnFleet(options: Options & CatalogueChoice): Promise<number> {
  const begin = beginOfFixes(options);
  return withFleet(options, async (fleet) => {
    const there = await awaitAgents(fleet.bus, { ...fleet, needs: [] }, note);
    // Tables of `host` are of one kernel: that of the first agent.
    const named = { ...begin, fleet: { experiment: experimentName('fixes'), kernel: there[0]!.kernel } };
    const dir = createResultFolder(options.out, 'fixes', new Date());
    return beginSession(dir, named, note, (session) => make(fleet, there, session, options));
  });
}

/** Make what is missing of the tables in a folder that a fleet has begun. @returns the exit code */
export function resumeFixesOnFleet(dir: string, options: Options): Promise<number> {
  return resumeSession(dir, 'fixes', note, (session) => {
    if (!session.contents.begin.fleet)
      throw new UserError(`this machine has begun ${dir}; resume it here, without --fleet`);
    return withFleet(options, async (fleet) => {
      const there = await awaitAgents(fleet.bus, { ...fleet, needs: [] }, note);
      session.journal.append({ type: 'resume', at: new Date().toISOString() });
      return make(fleet, there, session, options);
    });
  });
}

function make(
  fleet: Fleet,
  agents: Awaited<ReturnType<typeof awaitAgents>>,
  session: Session<'fixes'>,
  options: Options,
): Promise<number> {
  const { begin } = session.contents;
  const { experiment, kernel: release = '' } = begin.fleet!;
  const names = tablesOf(begin.options);
  const queues = tableQueues(names, release);
  return withDispatch(fleet, { begin, experiment, queues }, (dispatch) => {
    const cannot = (name: (typeof names)[number]) => whyNobody(agents, tableNeeds(name, release));
    return makeTables(session, options, tablesElsewhere(dispatch, experiment, release, cannot));
  });
}
