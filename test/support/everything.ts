/** Results with something to say in every section of a report: neighbours, a proxy that is an exit of Tor, observed runs, a slow range. */
import type { Neighbour } from '../../src/plan/plan.js';
import type { Results, Run, Second, Variant } from '../../src/results/schema.js';

import type { ProxyReport } from '../../src/subjects/proxy-report.js';
import { TOR } from './proxies.js';
import { quickstartResults } from './results.js';

/** Two arms of the quickstart: the baseline, whose exit fails, and one whose exit does not. */
export function everythingResults(): Results {
  const all = quickstartResults();
  const [baseline, wider] = all.variants as [Variant, Variant];
  const { load } = baseline;
  const dns: Neighbour = {
    name: 'dns',
    where: 'beside',
    addresses: ['10.9.0.1'],
    afterMs: null,
    load: { ...load, pick: 'round-robin', arrival: { shape: 'constant', rate: 10, durationMs: 1000 } },
  };
  return {
    ...all,
    experiment: { ...all.experiment, neighbours: [dns] },
    variants: [withExit(baseline, 20), withExit(wider, 0)],
  };
}

function withExit(variant: Variant, failed: number): Variant {
  const slowWall = { tuples: 14_116, rate: 235, walked: 14_116, why: 'half of the ports' };
  const runs = variant.runs.map(
    (run): Run => ({
      ...run,
      proxy: proxyReport(failed),
      outcomes: { ok: 64, ...(failed > 0 ? { 'socks:general-failure': failed } : {}) },
      timeline: run.timeline.map(
        (second, i): Second => ({ ...second, portsInUse: 1000 * (i + 1), response: i > 6 ? 9000 : 1000 }),
      ),
      neighbours: [{ name: 'dns', attempts: 10, outcomes: { ok: 7, 'connect:ETIMEDOUT': 3 }, latency: {} }],
    }),
  );
  const prediction = { ...variant.prediction, concurrent: 28_232, slowWall };
  return { ...variant, proxy: TOR, prediction, runs, observed: { ...runs[0]!, warmup: false } };
}

function proxyReport(failed: number): ProxyReport {
  const failures =
    failed > 0 ? [{ call: 'bind' as const, errno: 'EADDRINUSE', count: failed, lines: ['[warn] no port'] }] : [];
  return {
    kind: 'tor',
    version: '0.4.9.11',
    bootstrap: { seconds: 1.9, cached: true },
    failures,
    requests: { SUCCEEDED: 64, ...(failed > 0 ? { 'END RESOURCELIMIT': failed } : {}) },
    answers: {},
    troubles: [],
    ended: null,
    tail: [],
    syscalls: {
      by: 'strace',
      calls: { bind: 84, connect: 84 },
      failures: failures.map(({ lines: _, ...each }) => ({ ...each, pid: 7 })),
    },
    cpu: { user: 1, system: 1 },
    memory: { peak: 1 },
    descriptors: null,
    roles: { client: {}, origin: {} },
  };
}
