// needs: squid, haproxy, nginx, dante-server, tinyproxy-bin, microsocks, unbound, dnsdist, coturn, tor
/**
 * What the model says of every shipped profile, and of each kind of subject that none of them is about, against one run of each arm: an arm of
 * which it says the same as of an earlier one is not run again. Large loads are scaled down, since the rules are the same with a few ports.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { agreementOf } from '../../src/analysis/agreement.js';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { predictArm } from '../../src/capacity/predict.js';
import { filesFrom } from '../../src/commands/read-files.js';
import { fetchPrograms } from '../../src/experiment/fetched-programs.js';
import { timerFrequency } from '../../src/kernel/timer-frequency.js';
import type { Arm, Experiment } from '../../src/plan/plan.js';
import { loadProfile } from '../../src/profile/load.js';
import type { Agreement, Run } from '../../src/results/schema.js';
import { examineProgram } from '../../src/subjects/examine.js';
import { proxySubjectOf, SUBJECT_KINDS, type SubjectKind } from '../../src/subjects/index.js';
import { measure } from '../support/lab.js';
import { makeRun } from '../support/runs.js';

const FOLDER = new URL('../../../profiles/', import.meta.url);
const RANGE = 'net.ipv4.ip_local_port_range';
const kernel = parseKernelVersion(release(), timerFrequency());

/** Of some profiles, what is made smaller, and which arms are left: the others need what is not here, or minutes. */
const SMALLER: Readonly<Record<string, { readonly arms?: readonly string[]; small?(arm: Arm): Arm }>> = {
  'squid-2014-full': { small: (arm) => with_(arm, { range: '40000 40100', rate: 400, durationMs: 300 }) },
  headline: {
    small: (arm) => ({
      ...with_(arm, { range: '40000 40009' }),
      load: {
        ...arm.load,
        arrival: { shape: 'fill', attempts: 500, failures: null, inFlight: 4, waves: 1, pauseMs: 0 },
      },
    }),
  },
  'max-rate': { small: (arm) => with_(arm, { rate: 800, durationMs: 500 }) },
  'tor-2012': { arms: ['baseline', 'second-exit'] },
  'tor-2012-bursts': { arms: ['baseline'], small: (arm) => with_(arm, { rate: 150, durationMs: 600 }) },
  // Global sysctls are another lab's.
  'tor-2012-vm': { arms: ['baseline', 'wider-range'] },
};

/** Profiles that cannot run in this lab → why. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  staging: 'a template for a machine of somebody’s own',
  'squid-2014-kernel': 'needs a kernel before 4.12',
  'tw-recycle-harm': 'needs a kernel before 4.12',
};

/** Arms of which nothing can be held against one run: profile → arms. */
const NOTHING_TO_HOLD: Readonly<Record<string, readonly string[]>> = {
  // Dante takes ports of its clients: how many fit is not modelled.
  'dante-socks': ['baseline', 'wider-range'],
  // Which requests use a connection again is up to the pace; only what is sustained is known.
  'keep-alive': ['half', 'four-of-five', 'ten-requests'],
  // A file of the user's own says how it binds, and the model does not read it.
  'own-configuration': ['baseline', 'wider-range', 'more-ports-for-connect'],
  // No call fails, and how many answers are stolen is up to which ports the sockets happen to share.
  'quic-clients': ['reuseport'],
  // What waits for one of thirty sockets: when it has its turn is up to the pace.
  'resolver-ports': ['outgoing-range'],
  // One load has hosts of its own and others run out of ports; and two strategies take ports from each other.
  scenarios: ['all-no-port', 'queue-no-port'],
};

function with_(arm: Arm, { range, rate, durationMs }: { range?: string; rate?: number; durationMs?: number }): Arm {
  return {
    ...arm,
    sysctls: range === undefined ? arm.sysctls : { ...arm.sysctls, [RANGE]: range },
    load:
      rate === undefined ? arm.load : { ...arm.load, arrival: { shape: 'constant', rate, durationMs: durationMs! } },
  };
}

/** How a proxy gets its ports is up to its version. */
async function asInstalled(arm: Arm): Promise<Arm> {
  const { proxy } = arm;
  if (proxy === undefined || !('binary' in proxy)) return arm;
  const found = await examineProgram({ kind: proxy.kind, binary: proxy.binary });
  assert.ok(found.ok, `${proxy.kind} is not installed`);
  return { ...arm, load: { ...arm.load, strategy: proxySubjectOf(proxy.kind).strategy(proxy, found.version) } };
}

/** The arms of which the model says something else than of one before. */
async function armsOf(name: string, experiment: Experiment): Promise<Arm[]> {
  const { arms: only, small = (arm: Arm) => arm } = SMALLER[name] ?? {};
  const first = experiment.arms[0]!.kernel;
  const here = experiment.arms.filter((arm) => arm.kernel === first && (only?.includes(arm.name) ?? true));
  const { experiment: provided } = await fetchPrograms({ ...experiment, arms: here });
  const arms = await Promise.all(provided.arms.map((arm) => asInstalled(small(arm))));
  const said = arms.map((arm) => JSON.stringify([predictArm(arm, kernel, {}).prediction, arm.load, arm.proxy]));
  return arms.filter((_, i) => said.indexOf(said[i]!) === i);
}

async function hold(arm: Arm, experiment: Experiment): Promise<Agreement | null> {
  const { neighbours } = experiment;
  const { prediction, bounds, determinism } = predictArm(arm, kernel, {}, neighbours);
  const { deterministic } = determinism({ ...experiment, lab: 'netns' });
  if (!deterministic && !prediction.simulated && bounds === null) return null;
  const measured = await measure(arm, neighbours ? { neighbours } : {});
  const { interrupted: _, loadMs, histograms: __, ...figures } = measured;
  const run: Run = {
    ...makeRun(),
    ...figures,
    id: arm.name,
    status: 'ok',
    valid: true,
    problems: [],
    durationMs: { setup: 0, load: loadMs, teardown: 0 },
  };
  return agreementOf({ prediction, load: arm.load, runs: [run], deterministic, bounds });
}

/** Of the kinds that no shipped profile is about, a small one each. */
const UNSHIPPED: Partial<Record<SubjectKind, string>> = {
  dnsdist: `name: dnsdist
description: All queries share the sockets that were made at the start.
subject: { kind: dnsdist }
addresses: 10.50.0.1/32
load: { arrival: { shape: constant, rate: 500/s, duration: 100ms } }
sysctls: { net.ipv4.ip_local_port_range: 40000 40003 }
variants: [{ name: eight, subject: { sockets: 8 } }]
goal: failures.share
`,
  coturn: `name: coturn
description: A port for each relay, from a range of its own.
subject: { kind: coturn, ports: 40000-40019 }
addresses: 10.50.0.1/32
load: { arrival: { shape: constant, rate: 500/s, duration: 60ms }, hold: 1s, lagBudget: 1s }
variants:
  - { name: more-ports, subject: { ports: 40000-40099 } }
  - { name: narrow-range, sysctls: { net.ipv4.ip_local_port_range: 50000 50009 } }
goal: failures.share
`,
};

/** Kinds of which nothing is predicted → why. */
const UNPREDICTED: Partial<Record<SubjectKind, string>> = {
  program: 'a program of somebody’s own does what it does',
  external: 'a target of somebody’s own, about whose ports nothing is known',
};

const readFiles = filesFrom(fileURLToPath(FOLDER));
const shipped = readdirSync(FOLDER)
  .filter((each) => each.endsWith('.yaml') && !(each.replace(/\.yaml$/, '') in ELSEWHERE))
  .sort()
  .map((file) => {
    const text = readFileSync(new URL(file, FOLDER), 'utf8');
    return { name: file.replace(/\.yaml$/, ''), experiment: loadProfile(text, file, { readFiles }).experiment };
  });
const inline = Object.entries(UNSHIPPED).map(([name, text]) => ({
  name,
  experiment: loadProfile(text, `${name}.yaml`, { readFiles }).experiment,
}));

it('every kind of subject is held to the model, or it is said why not', () => {
  const held = [...shipped, ...inline].map(({ experiment }) => experiment.subject);
  const missing = SUBJECT_KINDS.filter((kind) => !held.includes(kind) || kind in UNPREDICTED);
  assert.deepEqual(missing, Object.keys(UNPREDICTED));
});

for (const { name, experiment } of [...shipped, ...inline]) {
  if (experiment.subject in UNPREDICTED) continue;
  describe(name, { concurrency: true }, () => {
    it('what the model says of each arm is what comes', async () => {
      const arms = await armsOf(name, experiment);
      const found = await Promise.all(
        arms.map(async (arm) => ({ name: arm.name, agreement: await hold(arm, experiment) })),
      );
      const wrong = found.filter(({ agreement }) => agreement?.verdict === 'disagrees');
      assert.deepEqual(wrong, []);
      const nothing = found.filter(({ agreement }) => agreement === null).map((each) => each.name);
      assert.deepEqual(nothing, NOTHING_TO_HOLD[name] ?? []);
    });
  });
}
