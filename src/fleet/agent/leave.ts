/**
 * What an agent may do for a fleet: nothing outside of its throwaway labs but what whoever started it has named. Pure.
 */
import { LABS } from '../../domain/lab.js';
import type { Target } from '../../domain/target.js';
import type { Arm, Experiment } from '../../plan/plan.js';
import { programOf, proxySubjectOf } from '../../subjects/index.js';

/** Given when the agent is started. */
export interface Leave {
  /** Targets that may be loaded. */
  readonly allow: readonly Target[];
  /** Programs that a profile names may be run. */
  readonly programs: boolean;
  /** The machine itself may be loaded, and its sysctls may be set and restored. */
  readonly host: boolean;
}

/** @returns why an experiment may not be run here, with what to do; null: it may */
export function refusalOf({ lab, arms }: Pick<Experiment, 'lab' | 'arms'>, leave: Leave): string | null {
  const targets = arms.flatMap(targetsOf).filter((target) => !leave.allow.some((allowed) => isSame(allowed, target)));
  if (targets.length > 0) {
    const [first] = targets.map(({ address, port }) => `${address.includes(':') ? `[${address}]` : address}:${port}`);
    return `it may not load ${first} from here; start the agent with --allow ${first} where it may`;
  }
  if (!leave.programs) {
    const named = arms.map(namedProgram).find((found) => found !== null);
    if (named)
      return `the profile names ${named}, and this agent runs no programs of a profile; start it with --allow-programs where it may`;
  }
  if (LABS[lab].guarded && !leave.host)
    return `the ${lab} lab loads this machine itself and may change it; start the agent with --allow-host where it may`;
  return null;
}

function isSame(a: Target, b: Target): boolean {
  return a.address === b.address && a.port === b.port;
}

function targetsOf({ destinations, via, scenarios = [] }: Arm): Target[] {
  const all = [destinations, ...scenarios.flatMap((scenario) => scenario.destinations ?? [])];
  return [...all.flatMap((each) => (each.kind === 'lab' ? [] : each.targets)), ...(via ? [via] : [])];
}

/** What the profile would have run that is not a proxy's program as Debian has it: a configuration can name programs too. */
function namedProgram({ proxy }: Arm): string | null {
  if (proxy === undefined) return null;
  const { entrance, defaults } = proxySubjectOf(proxy.kind);
  if (entrance) return 'a command';
  if (programOf(proxy).binary !== programOf(defaults).binary) return `the program ${programOf(proxy).binary}`;
  return 'base' in proxy && proxy.base !== undefined ? 'a configuration of its own' : null;
}
