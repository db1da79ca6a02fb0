/** What the machines of a fleet do, kept from the events of the experiment. No I/O. */
import type { ExperimentEvent } from '../../experiment/blocks.js';
import type { LiveMachine } from './messages.js';

export interface MachineBook {
  take(event: ExperimentEvent): void;
  /** In the order of their names; none where this machine makes all runs. */
  machines(): readonly LiveMachine[];
}

/** A second that is shorter was cut off by the end of its run, and has no rate. */
const LEAST_SECONDS = 0.02;

/** An empty book. */
export function createMachineBook(): MachineBook {
  const known = new Map<string, LiveMachine>();
  /** Of the run that a machine makes: when its latest second ended. */
  const since = new Map<string, number>();
  const change = (name: string, changed: Partial<LiveMachine>) => {
    const before = known.get(name) ?? { name, run: null, done: 0, perSecond: null, outcomes: {} };
    known.set(name, { ...before, ...changed });
  };
  const begin = (name: string, run: string) => {
    if (known.get(name)?.run === run) return;
    since.set(name, 0);
    change(name, { run, perSecond: null });
  };
  const hear = ({ machine, planned, second }: Extract<ExperimentEvent, { type: 'machine' }>) => {
    begin(machine, planned.id);
    const length = Math.max(second.t - since.get(machine)!, LEAST_SECONDS);
    since.set(machine, second.t);
    const outcomes = { ...known.get(machine)!.outcomes };
    for (const [outcome, count] of Object.entries(second.outcomes))
      outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
    change(machine, { outcomes, perSecond: second.attempts / length });
  };
  const end = (name: string, run: string) => {
    const { done = 0, run: under } = known.get(name) ?? {};
    change(name, { done: done + 1, ...(under === run ? { run: null, perSecond: null } : {}) });
  };
  return {
    take(event) {
      if (event.type === 'run-start' && event.machine !== undefined) begin(event.machine, event.planned.id);
      if (event.type === 'machine') hear(event);
      if (event.type !== 'run-end') return;
      const { id, machine, together } = event.run;
      const names = machine === undefined ? (together?.machines ?? []).map(({ name }) => name) : [machine];
      for (const name of names) end(name, id);
    },
    machines: () => [...known.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}
