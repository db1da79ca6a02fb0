/**
 * Every kind of proxy that this machine has, in guests: how many connections each holds on a kernel, beside what the model says.
 */
import assert from 'node:assert/strict';
import { predictArm } from '../../src/capacity/predict.js';
import { fetchPrograms } from '../../src/experiment/fetched-programs.js';
import { rehearse } from '../../src/experiment/rehearsal.js';
import { runOne } from '../../src/experiment/run-one.js';
import { vmLab } from '../../src/lab/vm/vm.js';
import type { Guest } from '../../src/plan/plan.js';
import { loadProfile } from '../../src/profile/load.js';
import type { Run } from '../../src/results/schema.js';

/** P = 20 ports. Reverse proxies pass on a byte, so that a connection is seen to have come through. */
const TUNNELS = { load: 'arrival: { shape: fill, attempts: 110, inFlight: 4 }', addresses: 2 };
const BYTES = 'exchange: { request: 1, response: 1 }, hold: 10m';
const ASKED: Readonly<Record<string, { readonly load: string; readonly addresses: number }>> = {
  squid: TUNNELS,
  haproxy: { ...TUNNELS, load: `${TUNNELS.load}, ${BYTES}` },
  nginx: { ...TUNNELS, load: `${TUNNELS.load}, ${BYTES}` },
  tinyproxy: TUNNELS,
  microsocks: { ...TUNNELS, addresses: 1 },
};

/** @param subject its kind, then its settings, as `squid, suite: trixie` */
function profileOf(subject: string): string {
  const { load, addresses } = ASKED[subject.split(',')[0]!]!;
  return `name: held
addresses: { cidr: 10.50.0.0/24, count: ${addresses} }
destinations: { ports: 2 }
lab: { kind: vm }
subject: { kind: ${subject} }
load: { ${load}, timeout: 60s }
sysctls: { net.ipv4.ip_local_port_range: 40000 40019 }
variants: [{ name: wider, sysctls: { net.ipv4.ip_local_port_range: 40000 40099 } }]
repeat: 1
warmup: 0
guardrails: []
`;
}

/** What was held, and what the model says. */
interface Held {
  readonly run: Run;
  readonly predicted: number | null;
}

export interface GuestWithSubjects {
  /** Hold as many connections as a subject can, by the name that it was made with. */
  held(subject: string): Promise<Held>;
  release(): Promise<void>;
}

/** One guest that is given several subjects, and serves them one after the other. */
export async function guestWith(guest: Guest, subjects: readonly string[]): Promise<GuestWithSubjects> {
  const experiments = new Map(
    await Promise.all(
      subjects.map(async (subject) => {
        const { experiment } = await fetchPrograms(loadProfile(profileOf(subject), 'held.yaml').experiment);
        return [subject, experiment] as const;
      }),
    ),
  );
  const serving = [...experiments.values()].flatMap(({ arms }) => arms);
  const lab = vmLab(guest, () => {}, { serving, subjects: serving.map(({ proxy }) => proxy!) });
  return {
    async held(subject) {
      const { findings, experiment, kernel, environment, network } = await rehearse(experiments.get(subject)!, lab);
      assert.deepEqual(findings, []);
      const arm = experiment.arms[0]!;
      const { run } = await runOne({
        ...{ lab, arm, network },
        planned: { id: subject, variant: arm.name, block: 0, warmup: false, order: 0, seed: 1 },
        signal: new AbortController().signal,
        onSample: () => {},
      });
      assert.deepEqual([run.status, run.problems], ['ok', []], `${subject}: ${run.stderr ?? ''}`);
      return { run, predicted: predictArm(arm, kernel, environment.defaults).prediction.concurrent };
    },
    release: async () => void (await lab.release?.()),
  };
}
