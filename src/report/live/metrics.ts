/** The metrics of a run in progress, for Prometheus: conventional names, base units. Pure. */
import { type Family, renderFamilies, type Sample } from '../../gauge/exposition.js';
import { addressName } from '../rows/addresses.js';
import type { LiveBook } from './state.js';

/** The text that `/metrics` serves. */
export function renderRunMetrics(book: LiveBook): string {
  return renderFamilies('bindstorm_run_', families(book));
}

function families(book: LiveBook): Family[] {
  const { arms, done, total, current, machines } = book.state();
  const second = book.second();
  const running = current?.over ? undefined : current?.arm;
  const arm = arms.find(({ name }) => name === running);
  const variant: Record<string, string> = arm ? { variant: arm.name } : {};
  const one = (value: number | null | undefined): Sample[] =>
    value === null || value === undefined ? [] : [{ labels: variant, value }];
  return [
    { name: 'planned_runs', type: 'gauge', help: 'Runs of the experiment.', samples: [{ value: total }] },
    { name: 'finished_runs', type: 'gauge', help: 'Runs that are done.', samples: [{ value: done }] },
    {
      name: 'in_progress',
      type: 'gauge',
      help: '1 for the arm that a run is being made of.',
      samples: arms.map(({ name }) => ({ labels: { variant: name }, value: Number(name === running) })),
    },
    {
      name: 'attempts_total',
      type: 'counter',
      help: 'Attempts that ended since this command was started, by arm and outcome; ok, shed, or the call and its errno.',
      samples: [...book.totals()].flatMap(([name, outcomes]) =>
        Object.entries(outcomes).map(([outcome, value]) => ({ labels: { variant: name, outcome }, value })),
      ),
    },
    {
      name: 'machine_in_progress',
      type: 'gauge',
      help: 'Of a fleet: 1 for a machine that makes a run, alone or with others.',
      samples: machines.map(({ name, run }) => ({ labels: { machine: name }, value: Number(run !== null) })),
    },
    {
      name: 'machine_finished_runs',
      type: 'gauge',
      help: 'Of a fleet: runs that a machine has made since this command was started, alone or with others.',
      samples: machines.map(({ name, done }) => ({ labels: { machine: name }, value: done })),
    },
    {
      name: 'machine_attempts_total',
      type: 'counter',
      help: 'Of a fleet: attempts that ended on a machine since this command was started, by outcome; attempts_total is of all together.',
      samples: machines.flatMap(({ name, outcomes }) =>
        Object.entries(outcomes).map(([outcome, value]) => ({ labels: { machine: name, outcome }, value })),
      ),
    },
    {
      name: 'load_seconds',
      type: 'gauge',
      help: 'Seconds since the load of the run in progress began.',
      samples: one(second?.t),
    },
    {
      name: 'ephemeral_ports',
      type: 'gauge',
      help: 'Ports that the kernel hands out on each local address of the arm. The hard wall.',
      samples: one(arm?.walls.hard),
    },
    {
      name: 'slow_wall_ports',
      type: 'gauge',
      help: 'Ports of one address from where on each search for a port takes long; absent where the kernel has no such place.',
      samples: one(arm?.walls.slow),
    },
    {
      name: 'ports_in_use',
      type: 'gauge',
      help: 'Distinct ephemeral ports taken on a local address, TIME_WAIT included.',
      samples: (second?.portsPerAddress ?? []).map((value, i) => ({
        labels: { ...variant, address: arm ? addressName(arm.addresses, i) : String(i + 1) },
        value,
      })),
    },
    {
      name: 'sockets',
      type: 'gauge',
      help: 'Sockets of the role under test by TCP state.',
      samples: Object.entries(second?.states ?? {}).map(([state, value]) => ({ labels: { ...variant, state }, value })),
    },
    {
      name: 'cpu_cores',
      type: 'gauge',
      help: 'Cores that a role used in the latest interval.',
      samples: (['client', 'proxy', 'origin'] as const).flatMap((role) => {
        const value = second?.cpu[role];
        return value === undefined || value === null ? [] : [{ labels: { ...variant, role }, value }];
      }),
    },
    {
      name: 'resident_memory_bytes',
      type: 'gauge',
      help: 'Resident memory of the role under test.',
      samples: one(second?.memory),
    },
  ];
}
