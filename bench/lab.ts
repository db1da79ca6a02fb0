/**
 * Entry of the process inside a bench's lab: `node lab.js JOB`, the job as JSON. It makes the lab's network as a run of bindstorm
 * does (src/agent/run.ts), does one job, prints its answer as JSON, and ends; the lab ends with it.
 */
import { originTargets, setUpClient } from '../src/agent/place/network.js';
import { setUpClientsOfRouter } from '../src/agent/place/router-network.js';
import { launchOrigin } from '../src/agent/roles/launch.js';
import { connectOrigin, type Origin } from '../src/agent/roles/origin-client.js';
import { openRouterRole, type RouterRole } from '../src/agent/roles/router-client.js';
import { readNetCounters } from '../src/kernel/counters.js';
import { dieWithParent } from '../src/kernel/libc.js';
import { createSocketObserver } from '../src/kernel/sock-diag.js';
import { writeSysctl } from '../src/kernel/sysctl.js';
import type { OriginPlan } from '../src/load/origin/listen.js';
import { LOAD } from '../src/plan/load-settings.js';
import { routerSubjectOf } from '../src/subjects/index.js';
import { type Churn, type Contender, leftBehind, type Sample } from './churn.js';
import { runContender } from './contender.js';
import { measurePacing, type Pacer, type PacingSample, type PacingWork } from './pacing-lab.js';
import type { HttpWork, PeerName } from './peer.js';
import { type HttpSample, httpLoad, runPeer } from './peer-lab.js';
import { measureSnapshots, type SnapshotCost } from './sock-diag.js';
import { measureWatch, type WatchCost, type WatchJob } from './watch-lab.js';

export type Job =
  | {
      readonly kind: 'churn';
      readonly contender: Contender;
      readonly churn: Churn;
      readonly churnProgram: string | null;
      /** A router that masquerades is between. */
      readonly nat?: boolean;
    }
  | { readonly kind: 'http'; readonly peer: PeerName; readonly work: HttpWork }
  | { readonly kind: 'pacing'; readonly pacer: Pacer; readonly work: PacingWork }
  | { readonly kind: 'sock-diag'; readonly churn: Churn; readonly snapshots: number }
  | ({ readonly kind: 'watch' } & WatchJob);

/** What the answer to each job is. */
export interface Answers {
  churn: Sample;
  http: HttpSample;
  pacing: PacingSample;
  'sock-diag': SnapshotCost;
  watch: WatchCost;
}

const SYSCTLS: Readonly<Record<string, string>> = {
  // Wide enough that no search for a port is long, and room for every socket's TIME_WAIT: the kernel's work per connection
  // then stays the same from the first to the last.
  'net.ipv4.ip_local_port_range': '1024 65535',
  'net.ipv4.tcp_max_tw_buckets': '4000000',
  // As in every lab (src/agent/run.ts).
  'net.ipv4.tcp_rfc1337': '1',
};

async function openLab(
  { sources, targets }: Pick<Churn, 'sources' | 'targets'>,
  plan: OriginPlan,
  router?: RouterRole,
): Promise<Origin> {
  for (const [name, value] of Object.entries(SYSCTLS)) {
    const result = writeSysctl(name, value);
    if (!result.ok) throw new Error(`the kernel refused ${name} = ${value} (${result.errno})`);
  }
  const origin = await connectOrigin(launchOrigin(true));
  if (router) await setUpNat(router, sources, origin.pid);
  else setUpClient(sources, 4, origin.pid);
  await origin.serve({
    network: 'veth',
    family: 4,
    hosts: [{ listen: targets, threads: 1, plan }],
    neighbours: [],
  });
  return origin;
}

/** With all ports for its one address, so that none is searched for long. */
async function setUpNat(router: RouterRole, sources: readonly string[], originPid: number): Promise<void> {
  setUpClientsOfRouter(sources, 4, router.pid, []);
  const settings = routerSubjectOf('nat').defaults;
  await router.setUpNetwork({ family: 4, settings, clients: sources, originPid, sysctls: {} });
  await router.begin();
}

/** A contender that did other work than it was asked to may not be compared. */
async function checkWork(contender: Contender, churn: Churn, sample: Sample, origin: Origin): Promise<void> {
  const { attempts } = churn;
  if (sample.ok !== attempts) throw new Error(`${sample.ok} of ${attempts} connections were made`);
  if (sample.timed < (attempts - churn.warmUp) / 2)
    throw new Error('most connections were over before they were timed');
  const observer = createSocketObserver(churn.sources, { low: 1024, high: 65_535 });
  const left = Object.values(observer.snapshot().states).reduce((sum, n) => sum + n, 0);
  observer.close();
  const expected = leftBehind(contender, attempts);
  if (left !== expected) throw new Error(`${left} sockets are left after their close, not ${expected}`);
  if ((readNetCounters()['TcpExt.TCPTimeWaitOverflow'] ?? 0) > 0) throw new Error('tcp_max_tw_buckets was reached');
  const { listenOverflows } = await origin.stats();
  if (listenOverflows !== 0) throw new Error(`the origin's accept queue overflowed ${listenOverflows} times`);
}

async function work(job: Job): Promise<Answers[Job['kind']]> {
  if (job.kind === 'http' || job.kind === 'pacing') {
    const [source, target] = ['10.50.0.1', { address: originTargets(4, false, 1, 1)[0]!.address, port: 80 }];
    const origin = await openLab(
      { sources: [source], targets: [target] },
      httpLoad({ requests: 0, inFlight: 0 }, 'socket'),
    );
    return job.kind === 'http'
      ? runPeer(job.peer, job.work, target, source, origin)
      : measurePacing(job.pacer, job.work, target, source);
  }
  // Whoever closes second decides when TIME_WAIT begins, so here the origin must accept and close.
  const router = job.kind === 'churn' && job.nat ? await openRouterRole() : undefined;
  const plan = { ...LOAD, sink: job.kind === 'churn' ? 'listen-only' : 'accept' } as const;
  const origin = await openLab(job.churn, plan, router);
  if (job.kind === 'sock-diag') return measureSnapshots(job.churn, job.snapshots);
  if (job.kind === 'watch') return measureWatch(job);
  const sample = await runContender(job.contender, job.churn, job.churnProgram);
  await checkWork(job.contender, job.churn, sample, origin);
  const translated = router && (await router.collect()).entries;
  if (translated !== undefined && translated < job.churn.attempts)
    throw new Error(`the router knows ${translated} connections of ${job.churn.attempts}`);
  return sample;
}

if (!dieWithParent(process.ppid)) process.exit(1);
try {
  console.log(JSON.stringify(await work(JSON.parse(process.argv[2] ?? '') as Job)));
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
