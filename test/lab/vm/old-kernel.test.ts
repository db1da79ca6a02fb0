// needs: squid, haproxy, nginx, libnginx-mod-stream, dante-server, tinyproxy-bin, microsocks, tor, qemu-system-x86
/**
 * Kernels before Linux 4.12, which have tcp_tw_recycle. No archive has one, so this runs with images that whoever tests brings:
 * BINDSTORM_OLD_KERNEL=path, or several with colons between them. docs/old-kernels.md has what came out.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { atLeast, type KernelVersion } from '../../../src/capacity/kernel-version.js';
import { predictArm } from '../../../src/capacity/predict.js';
import { rehearse } from '../../../src/experiment/rehearsal.js';
import { LabError } from '../../../src/lab/lab.js';
import { vmLab } from '../../../src/lab/vm/vm.js';
import type { Arm, Experiment } from '../../../src/plan/plan.js';
import { loadProfile } from '../../../src/profile/load.js';
import type { Environment, Run } from '../../../src/results/schema.js';
import { runCli, scratchFolder } from '../../support/cli.js';
import { holdOn } from '../../support/guest-subjects.js';
import { SKIP } from '../../support/guests.js';
import { runUndisturbed } from '../../support/undisturbed.js';

const KERNELS = (process.env.BINDSTORM_OLD_KERNEL ?? '').split(':').filter(Boolean);

/** P = 100 ports, S = 2 addresses, D = 2 destinations; and 100 sockets in TIME_WAIT, then 3 s later 100 more. */
const PORTS = `name: ports
addresses: { cidr: 10.50.0.0/24, count: 2 }
destinations: { ports: 2 }
load: { strategy: bind, arrival: { shape: fill, attempts: 500, inFlight: 1 }, lagBudget: 60s }
sysctls: { net.ipv4.ip_local_port_range: 40000 40099, net.ipv4.tcp_max_tw_buckets: 262144 }
variants:
  - { name: connect, load: { strategy: connect } }
  - name: time-wait
    addresses: { count: 1 }
    destinations: { ports: 1 }
    load: &waves { hold: 0s, drain: true, arrival: { shape: fill, attempts: 100, inFlight: 1, waves: 2, pause: 3s } }
  - name: recycle
    addresses: { count: 1 }
    destinations: { ports: 1 }
    load: *waves
    sysctls: { net.ipv4.tcp_tw_recycle: 1 }
`;

const RECYCLE = 'sysctls: { net.ipv4.tcp_tw_recycle: 1 }';
const RECYCLE_AT_ORIGIN = `roles: { origin: { ${RECYCLE} } }`;
const ATTEMPTS = 80;
/** @param own how a kernel whose namespaces have a tcp_tw_recycle each is told that of the origin, and to let the SYN wait */
const clientsText = (own: boolean) => `name: clients
addresses: 10.50.0.1/32
load:
  strategy: connect
  clocks: 2
  close: server
  timeout: 2s
  lagBudget: 60s
  arrival: { shape: constant, rate: 20/s, duration: ${ATTEMPTS / 20}s }
sysctls: { net.ipv4.tcp_max_tw_buckets: 262144${own ? ', net.ipv4.tcp_fastopen: 5' : ''} }
variants:
  - { name: recycle, ${own ? RECYCLE_AT_ORIGIN : RECYCLE} }
  - { name: one-client, ${own ? RECYCLE_AT_ORIGIN : RECYCLE}, load: { clocks: 1 } }
`;

function experimentOf(text: string, kernel: string): Experiment {
  return loadProfile(`${text}lab: { kind: vm, kernel: ${JSON.stringify(kernel)} }\n`, 'old.yaml').experiment;
}

for (const name of ['squid-2014-kernel', 'tw-recycle-harm'])
  it(`${name} without an image says in one error, before anything starts, which kernel it needs`, SKIP, async (t) => {
    const cwd = scratchFolder(t);
    const { code, stdout, stderr } = await runCli(['run', name, '--quiet'], { cwd });
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(
      stderr,
      /^bindstorm: the kernel \/.*\/vmlinuz cannot be read \(ENOENT\)\nWhat to do: the profile sets what newer kernels have no more \(net\.ipv4\.tcp_tw_recycle: until Linux 4\.11\): give an image of one that has it with --kernel PATH .*\nRun `bindstorm doctor`.*\n$/,
    );
    assert.deepEqual(readdirSync(cwd), []);
  });

if (KERNELS.length === 0)
  it('a kernel with tcp_tw_recycle', { skip: 'not run: BINDSTORM_OLD_KERNEL names no kernel image before 4.12' });
for (const kernel of KERNELS) {
  onKernel(kernel);
  reportOf2014(kernel);
  holdOn({ engine: 'qemu', kernel });
}

function onKernel(kernel: string): void {
  const lab = vmLab({ engine: 'qemu', kernel }, () => {});
  const ports = experimentOf(PORTS, kernel);

  async function run({ arms }: Experiment, name: string): Promise<Run> {
    const { run: result } = await runUndisturbed({
      lab,
      arm: arms.find((arm) => arm.name === name)!,
      planned: { id: name, variant: name, block: 0, warmup: false, order: 0, seed: 1 },
      network: 'veth',
      signal: new AbortController().signal,
      onSample: () => {},
    });
    assert.deepEqual([result.status, result.problems], ['ok', []], result.stderr ?? '');
    return result;
  }

  describe(kernel, SKIP, () => {
    let version: KernelVersion;
    let environment: Environment;
    const notBelow = (wanted: string) => atLeast(version, wanted);

    it('has all that a lab needs', async () => {
      const rehearsal = await rehearse(ports, lab);
      assert.deepEqual([rehearsal.findings, rehearsal.network], [[], 'veth']);
      ({ kernel: version, environment } = rehearsal);
      assert.ok(!notBelow('4.12'), `${version.release} has no tcp_tw_recycle`);
    });

    for (const name of ['baseline', 'connect'])
      it(`holds as many connections as predicted: ${name}`, async () => {
        const arm = ports.arms.find((candidate) => candidate.name === name)!;
        const { concurrent } = predictArm(arm, version, environment.defaults).prediction;
        const { outcomes, capacity } = await run(ports, name);
        assert.equal(outcomes.ok, concurrent);
        assert.equal(capacity.tuples, concurrent);
      });

    it('TIME_WAIT keeps every port, and with tcp_tw_recycle none is kept for three seconds', async () => {
      const wavesOf = async (name: string) => (await run(ports, name)).waves.map(({ outcomes }) => outcomes);
      assert.deepEqual(await wavesOf('time-wait'), [{ ok: 100 }, { 'bind:EADDRINUSE': 100 }]);
      assert.deepEqual(await wavesOf('recycle'), [{ ok: 100 }, { ok: 100 }]);
    });

    it('tcp_tw_recycle locks out the client whose clock is behind that of another one behind its address', async () => {
      const clients = experimentOf(clientsText(notBelow('4.11')), kernel);
      if (!notBelow('3.9')) {
        assert.match((await rehearse(clients, lab)).findings[0]!.message, /clocks of their own \(TCP_TIMESTAMP/);
        return;
      }
      assert.deepEqual((await run(clients, 'baseline')).outcomes, { ok: ATTEMPTS });
      assert.deepEqual((await run(clients, 'one-client')).outcomes, { ok: ATTEMPTS });
      const { outcomes, origin } = await run(clients, 'recycle');
      const late = outcomes['timeout:ETIMEDOUT'] ?? 0;
      // The first few may come before the server's first TIME_WAIT, which under emulation on a busy machine is late.
      assert.ok(late <= ATTEMPTS / 2 && late >= ATTEMPTS / 2 - 10, `${late} of ${ATTEMPTS}`);
      assert.equal(outcomes.ok, ATTEMPTS - late);
      assert.ok(origin!.pawsPassive! >= late, `${origin!.pawsPassive} SYNs dropped`);
    });
  });
}

/** Of the shipped profile the arms that tell the story, once each. */
function reportOf2014(kernel: string): void {
  const told = ['baseline', 'tw-recycle', 'tw-recycle-clients-behind-nat'];
  const file = new URL('../../../../profiles/squid-2014-kernel.yaml', import.meta.url);
  const whole = loadProfile(readFileSync(file, 'utf8'), 'squid-2014-kernel.yaml').experiment;
  // Clients that wait for the proxy to close, as the origin does first: of those that close at the same time, as many as chance wants are spared.
  const patient = (arm: Arm): Arm => (arm.load.clocks > 1 ? { ...arm, load: { ...arm.load, close: 'server' } } : arm);
  const experiment = { ...whole, arms: whole.arms.filter(({ name }) => told.includes(name)).map(patient) };
  const { arms } = experiment;

  it(
    `squid-2014-kernel on ${kernel}: a port for each address and number, all requests with tcp_tw_recycle, not all behind a NAT`,
    SKIP,
    async () => {
      const lab = vmLab({ engine: 'qemu', kernel }, () => {}, {
        serving: arms,
        subjects: arms.flatMap(({ proxy }) => proxy ?? []),
      });
      try {
        const { findings, network } = await rehearse(experiment, lab);
        assert.deepEqual(findings, []);
        const outcomes = new Map<string, Run['outcomes']>();
        for (const arm of arms) {
          const { run } = await runUndisturbed({
            ...{ lab, arm, network },
            planned: { id: arm.name, variant: arm.name, block: 0, warmup: false, order: 0, seed: 1 },
            signal: new AbortController().signal,
            onSample: () => {},
          });
          assert.deepEqual([run.status, run.problems], ['ok', []], run.stderr ?? '');
          outcomes.set(arm.name, run.outcomes);
        }
        const [baseline, recycle, behindNat] = told.map((name) => outcomes.get(name));
        assert.deepEqual(baseline, { ok: 100, 'http:503 ERR_CONNECT_FAIL': 140 });
        assert.deepEqual(recycle, { ok: 240 });
        const { ok = 0, 'timeout:ETIMEDOUT': unanswered = 0 } = behindNat!;
        assert.equal(ok + unanswered, 240, JSON.stringify(behindNat));
        // How many is up to the order in which connections end: 24 were seen.
        assert.ok(unanswered >= 5, `${unanswered} of 240 got no answer`);
      } finally {
        await lab.release?.();
      }
    },
  );
}

it('a kernel that Node cannot start on is refused before it is booted', SKIP, async (t) => {
  const path = join(scratchFolder(t), 'bzImage');
  const head = Buffer.alloc(0x4000);
  head.writeUInt16LE(0xaa55, 0x1fe);
  head.write('HdrS', 0x202, 'latin1');
  head.writeUInt16LE(0x20a, 0x206);
  head[0x211] = 1;
  head.writeUInt16LE(0x2e00, 0x20e);
  head.write('2.6.32-754.el6.x86_64 (builder) #1 SMP\0', 0x3000, 'latin1');
  writeFileSync(path, head);
  await assert.rejects(vmLab({ engine: 'qemu', kernel: path }, () => {}).open('check'), (error) => {
    assert.ok(error instanceof LabError);
    assert.match(error.message, /is Linux 2\.6\.32-754\.el6\.x86_64; Node, .*, needs Linux 3\.2 or newer/);
    return true;
  });
});
