/**
 * Every kind of proxy that this machine has, in guests: how many connections each holds on a kernel, beside what the model says.
 */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { atLeast, type KernelVersion } from '../../src/capacity/kernel-version.js';
import { predictArm } from '../../src/capacity/predict.js';
import { fetchPrograms } from '../../src/experiment/fetched-programs.js';
import { rehearse } from '../../src/experiment/rehearsal.js';
import { vmLab } from '../../src/lab/vm/vm.js';
import type { Guest } from '../../src/plan/plan.js';
import { loadProfile } from '../../src/profile/load.js';
import type { Prediction, Run } from '../../src/results/schema.js';
import { SKIP } from './guests.js';
import { runUndisturbed } from './undisturbed.js';

interface Asked {
  readonly load: string;
  readonly addresses: number;
  /** What else its profile says. */
  readonly more?: string;
}

const PORTS = 'sysctls: { net.ipv4.ip_local_port_range: 40000 40019 }';
/** P = 20 ports. Reverse proxies pass on a byte, so that a connection is seen to have come through. */
const TUNNELS: Asked = { load: 'arrival: { shape: fill, attempts: 110, inFlight: 4 }', addresses: 2 };
const BYTES = 'exchange: { request: 1, response: 1 }, hold: 10m';
const ASKED: Readonly<Record<string, Asked>> = {
  squid: TUNNELS,
  haproxy: { ...TUNNELS, load: `${TUNNELS.load}, ${BYTES}` },
  nginx: { ...TUNNELS, load: `${TUNNELS.load}, ${BYTES}` },
  tinyproxy: TUNNELS,
  microsocks: { ...TUNNELS, addresses: 1 },
  // It tries the port that its client has: with clients of the same range it never has another one.
  dante: { ...TUNNELS, addresses: 1, more: `roles: { client: { ${PORTS} } }\n` },
  tor: TUNNELS,
};

/**
 * Each proxy of the table in docs/guests.md, and how many connections it holds: P = 20, two addresses but for those that have one,
 * D = 2. The same on each kernel.
 */
const HELD = {
  squid: 40,
  'squid, suite: trixie': 80,
  'haproxy, mode: tcp': 80,
  'nginx, mode: tcp': 80,
  'dante, clients: 40': 20,
  tinyproxy: 40,
  microsocks: 20,
  tor: 80,
} as const;

/**
 * What those that set IP_BIND_ADDRESS_NO_PORT hold before Linux 4.2: they go on without it. With SO_REUSEADDR ports are then shared at random,
 * and the simulation says how many are held.
 */
const WITHOUT_NO_PORT: Partial<Record<keyof typeof HELD, number | 'at random'>> = {
  'squid, suite: trixie': 40,
  'haproxy, mode: tcp': 'at random',
  'nginx, mode: tcp': 40,
  tor: 'at random',
};

/**
 * Declare the tests that each of them holds so many, and no more, in one guest.
 * @param held what is held on this kernel, where that differs from what is held since Linux 4.2
 */
export function holdOn(guest: Guest, held: Partial<Record<keyof typeof HELD, number>> = {}): void {
  const subjects = Object.keys(HELD) as (keyof typeof HELD)[];
  describe(`proxies on the kernel of ${guest.kernel}`, SKIP, () => {
    let made: Promise<GuestWithSubjects> | undefined;
    after(async () => (await made)?.release());

    for (const subject of subjects) {
      const count = held[subject] ?? HELD[subject];
      it(`${subject}: ${count}`, async () => {
        const profiles = Object.fromEntries(subjects.map((each) => [each, profileOf(each)]));
        made ??= guestWith(guest, profiles);
        const { run, prediction, kernel } = await (await made).run(subject);
        assert.deepEqual([run.status, run.problems], ['ok', []], `${run.problems} ${run.stderr ?? ''}`);
        const early = atLeast(kernel, '4.2') ? undefined : WITHOUT_NO_PORT[subject];
        assert.equal(run.capacity.tuples, run.outcomes.ok);
        if (early === 'at random') {
          // What holds for a time of its own is not simulated: one for each address and port at least.
          const { low, high } = prediction.simulated?.ok ?? { low: 40, high: 80 };
          const { ok = 0 } = run.outcomes;
          assert.ok(prediction.concurrent === null && ok >= low && ok <= high, `${ok}, predicted ${low} to ${high}`);
          return;
        }
        assert.equal(prediction.concurrent, early ?? count);
        assert.equal(run.outcomes.ok, early ?? count, JSON.stringify(run.outcomes));
      });
    }
  });
}

/** @param subject its kind, then its settings, as `squid, suite: trixie` */
function profileOf(subject: string): string {
  const { load, addresses, more = '' } = ASKED[subject.split(',')[0]!]!;
  return `name: held
addresses: { cidr: 10.50.0.0/24, count: ${addresses} }
destinations: { ports: 2 }
lab: { kind: vm }
subject: { kind: ${subject} }
load: { ${load}, timeout: 60s }
${PORTS}
${more}variants: [{ name: wider, sysctls: { net.ipv4.ip_local_port_range: 40000 40099 } }]
repeat: 1
warmup: 0
guardrails: []
`;
}

/** A run, and what the model says of its arm on the kernel that it ran on. */
interface Made {
  readonly run: Run;
  readonly prediction: Prediction;
  readonly kernel: KernelVersion;
}

export interface GuestWithSubjects {
  /** Make a run of the baseline of a profile, by the name that it was given with. */
  run(name: string): Promise<Made>;
  release(): Promise<void>;
}

/**
 * One guest that is given the subjects of several profiles, and serves them one after the other.
 * @param profiles name → text
 */
export async function guestWith(guest: Guest, profiles: Readonly<Record<string, string>>): Promise<GuestWithSubjects> {
  const experiments = new Map(
    await Promise.all(
      Object.entries(profiles).map(async ([name, text]) => {
        const { experiment } = await fetchPrograms(loadProfile(text, `${name}.yaml`).experiment);
        return [name, experiment] as const;
      }),
    ),
  );
  const serving = [...experiments.values()].flatMap(({ arms }) => arms);
  const lab = vmLab(guest, () => {}, { serving, subjects: serving.map(({ proxy }) => proxy!) });
  return {
    async run(name) {
      const { findings, experiment, kernel, environment, network } = await rehearse(experiments.get(name)!, lab);
      assert.deepEqual(findings, []);
      const arm = experiment.arms[0]!;
      const { run } = await runUndisturbed({
        ...{ lab, arm, network },
        planned: { id: name, variant: arm.name, block: 0, warmup: false, order: 0, seed: 1 },
        signal: new AbortController().signal,
        onSample: () => {},
      });
      return { run, prediction: predictArm(arm, kernel, environment.defaults).prediction, kernel };
    },
    release: async () => void (await lab.release?.()),
  };
}
