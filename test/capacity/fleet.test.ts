/** How many agents a rate takes, and how long units take on some. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FleetQuestion, fleetOf, MEASURED_AGENT_RATE } from '../../src/capacity/fleet.js';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { renderFleetCapacity } from '../../src/report/fleet-capacity.js';
import { LATEST } from './inputs.js';

function question(set: Partial<FleetQuestion['set']>, rest: Partial<Omit<FleetQuestion, 'set'>> = {}): FleetQuestion {
  return {
    set: {
      kernel: parseKernelVersion('6.1.192', 250),
      strategy: 'bind-no-port',
      addresses: 1,
      destinations: 1,
      range: null,
      reserved: 0,
      heldHere: 0,
      heldElsewhere: 0,
      rate: null,
      holdMs: 0,
      close: 'client',
      pick: 'round-robin',
      loss: 1e-4,
      sysctls: {},
      ...set,
    },
    agentRate: null,
    agents: null,
    matrix: null,
    ...rest,
  };
}

const PORTS = 28_232;

test('a million connections a second to one target: by ports, where each close leaves a TIME_WAIT', () => {
  const { each, needed } = fleetOf(question({ addresses: 64, rate: 1_000_000 }, { agentRate: 80_000 }));
  const sustained = (64 * PORTS) / LATEST;
  assert.equal(each.ports, sustained);
  assert.equal(needed!.byStarts, Math.ceil(1_000_000 / 80_000));
  assert.equal(needed!.byPorts, Math.ceil(1_000_000 / sustained));
  assert.equal(needed!.agents, needed!.byPorts);
  assert.equal(needed!.limitedBy, 'ports');
  assert.equal(needed!.addresses, 64 * needed!.agents!);
  // With one agent fewer the ports run out.
  assert.ok((needed!.agents! - 1) * sustained < 1_000_000 && needed!.agents! * sustained >= 1_000_000);
});

test('by what an agent starts, where no close keeps a port', () => {
  const { each, needed } = fleetOf(question({ close: 'reset', rate: 1_000_000 }));
  assert.equal(each.source, 'bench');
  assert.equal(each.ports, null);
  assert.deepEqual(
    [needed!.agents, needed!.byPorts, needed!.limitedBy],
    [Math.ceil(1_000_000 / MEASURED_AGENT_RATE), 1, 'agents'],
  );
  // A quotient that is whole takes no agent more.
  assert.equal(fleetOf(question({ close: 'reset', rate: 300_000 }, { agentRate: 100_000 })).needed!.agents, 3);
});

test('what agents that are there sustain, and what is not known', () => {
  const { there } = fleetOf(question({ addresses: 2 }, { agents: 10, agentRate: 50_000 }));
  assert.deepEqual(there, { agents: 10, rate: 10 * ((2 * PORTS) / LATEST), limitedBy: 'ports' });
  const none = fleetOf(question({ rate: 100, reserved: PORTS }));
  assert.deepEqual([none.needed!.agents, none.needed!.byPorts], [null, null]);
  assert.match(renderFleetCapacity(question({ rate: 100, reserved: PORTS }), none, 80), /no number of agents/);
});

test('how long a matrix takes: rounds of as many units as there are agents', () => {
  const matrix = { units: 27, unitMs: 40_000 };
  const [four] = fleetOf(question({}, { matrix, agents: 4 })).matrix!;
  assert.deepEqual(four, { agents: 4, rounds: 7, ms: 280_000, speedup: 27 / 7 });
  const all = fleetOf(question({}, { matrix })).matrix!;
  assert.deepEqual(
    all.map(({ agents }) => agents),
    [1, 2, 4, 8, 16, 27],
  );
  assert.deepEqual(all.at(-1), { agents: 27, rounds: 1, ms: 40_000, speedup: 27 });
  assert.match(
    renderFleetCapacity(question({}, { matrix }), fleetOf(question({}, { matrix })), 100),
    /27 units of 40s.*\n +1 agent +18 min +× 1\n[\s\S]*27 agents +40 s +× 27/,
  );
});
