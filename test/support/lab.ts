/**
 * Runs of single arms in real labs, for tests against the kernel. Each run has namespaces of its own, so that many can go on side
 * by side; how many at once is bounded here, for the whole process.
 */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Measurement, RunSpec } from '../../src/agent/protocol.js';
import { startAgent } from '../../src/lab/agent-process.js';
import type { LabSession } from '../../src/lab/lab.js';
import { netnsCommand } from '../../src/lab/netns.js';
import { nodeCommand } from '../../src/machine/node-command.js';
import { LOAD } from '../../src/plan/load-settings.js';
import type { Arm, Destinations, LoadPlan } from '../../src/plan/plan.js';
import { ROOT } from './cli.js';
import { undisturbed } from './undisturbed.js';

export interface LabArm {
  readonly load: Partial<LoadPlan> & Pick<LoadPlan, 'arrival'>;
  readonly addresses?: readonly string[];
  readonly destinations?: Destinations;
  readonly sysctls?: Record<string, string>;
}

/** `count` addresses of 10.50.0.0/24. */
export function tenAddresses(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `10.50.0.${i + 1}`);
}

/** A complete arm: defaults of the profile, one address, one destination. */
export function labArm({ load, addresses = tenAddresses(1), destinations, sysctls = {} }: LabArm): Arm {
  return {
    name: 'test',
    description: null,
    baseline: true,
    changes: [],
    sysctls,
    load: { ...LOAD, pick: 'round-robin', ...load },
    addresses: [...addresses],
    destinations: destinations ?? { kind: 'lab', addresses: 1, ports: 1 },
  };
}

/** Runs at once. */
const PLACES = 5;
let free = PLACES;
const waiting: { readonly places: number; readonly enter: () => void }[] = [];

/** Do something that takes so many of the places, in the order of the calls. */
async function inPlaces<T>(places: number, act: () => Promise<T>): Promise<T> {
  await new Promise<void>((enter) => {
    waiting.push({ places, enter });
    letIn();
  });
  try {
    return await act();
  } finally {
    free += places;
    letIn();
  }
}

function letIn(): void {
  for (let first = waiting[0]; first !== undefined && first.places <= free; first = waiting[0]) {
    waiting.shift();
    free -= first.places;
    first.enter();
  }
}

/** The agent that is shipped: it starts in half the CPU time of the modules that it is joined from. */
const AGENT = pathToFileURL(join(ROOT, 'dist', 'bundle', 'agent', 'entry.js'));

/** The command that starts an agent in fresh namespaces, as netnsLab() does. */
export function labCommand(): string[] {
  return netnsCommand([...nodeCommand(AGENT), 'netns', 'run'], process.getuid?.() === 0);
}

/** Run one arm in a fresh lab; again, and by itself, where it stood still. Rejects with what went wrong. */
export function measure(arm: Arm, options: Partial<RunSpec> = {}): Promise<Measurement> {
  return undisturbed(
    (again) => (again ? measureAlone(arm, options) : inPlaces(1, () => measureOnce(arm, options))),
    ({ problems }) => problems,
  );
}

/** Run one arm while this process makes no other run. It may have stood still: see its problems. */
export function measureAlone(arm: Arm, options: Partial<RunSpec> = {}): Promise<Measurement> {
  return inPlaces(PLACES, () => measureOnce(arm, options));
}

function measureOnce(arm: Arm, options: Partial<RunSpec>): Promise<Measurement> {
  return measureNow({ arm, seed: 1, network: 'veth', ownNamespace: true, sampleMs: 1000, ...options });
}

/** The same where a table of descriptors may have no more than so many. */
export async function measureWithin(descriptors: number, arm: Arm): Promise<Measurement> {
  const session = startAgent(['prlimit', `--nofile=${descriptors}:${descriptors}`, ...labCommand()]);
  return measureNow({ arm, seed: 1, network: 'veth', ownNamespace: true, sampleMs: 1000 }, session);
}

async function measureNow(spec: RunSpec, opened?: Promise<LabSession>): Promise<Measurement> {
  const session = await (opened ?? startAgent(labCommand()));
  try {
    return await measureIn(session, spec);
  } finally {
    await session.close();
  }
}

/** The same by an agent that goes on. */
export async function measureIn(session: LabSession, spec: RunSpec): Promise<Measurement> {
  session.send({ type: 'run', spec });
  for (;;) {
    const event = await session.next();
    if (event.type === 'result') return event.measurement;
    if (event.type === 'failed') throw new Error(`${event.message}\n${session.stderr()}`);
  }
}
