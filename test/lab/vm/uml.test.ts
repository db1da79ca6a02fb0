/**
 * Guests with a kernel of Debian bookworm (6.1), fetched when the cache does not have it: exact counts, and every bad end.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { rehearse } from '../../../src/experiment/rehearsal.js';
import { runOne } from '../../../src/experiment/run-one.js';
import { greetAgent } from '../../../src/lab/agent-channel.js';
import { LabError, type LabSession } from '../../../src/lab/lab.js';
import { bootGuest } from '../../../src/lab/vm/boot.js';
import { guestImage } from '../../../src/lab/vm/image.js';
import { type GuestKernel, guestKernel } from '../../../src/lab/vm/kernel.js';
import { vmLab } from '../../../src/lab/vm/vm.js';
import { loadProfile } from '../../../src/profile/load.js';
import type { Run } from '../../../src/results/schema.js';
import { scratchFolder, startCli, until } from '../../support/cli.js';
import { hostState } from '../../support/host-state.js';
import { newMark } from '../../support/processes.js';

const MEMORY = 2 ** 30;
const BOOT_MS = 60_000;
const guest = { engine: 'uml', kernel: 'bookworm' } as const;
const lab = vmLab(guest, () => {});

/** P = 100 ports, S = 2 addresses, D = 2 destinations. */
const PROFILE = `name: guest
addresses: { cidr: 10.50.0.0/24, count: 2 }
destinations: { ports: 2 }
lab: { kind: vm, kernel: bookworm }
load: { strategy: bind, arrival: { shape: fill, attempts: 500 } }
sysctls: { net.ipv4.ip_local_port_range: 40000 40099, vm.swappiness: 11, net.core.netdev_max_backlog: 1234 }
variants:
  - { name: no-port, load: { strategy: bind-no-port } }
  - name: time-wait
    load: { hold: 0s, drain: true, arrival: { shape: fill, attempts: 500, waves: 2 }, strategy: bind-no-port }
    sysctls: { net.ipv4.tcp_tw_reuse: 0 }
  - name: tw-reuse
    load: { hold: 0s, drain: true, arrival: { shape: fill, attempts: 400, waves: 2 }, strategy: bind-no-port }
    sysctls: { net.ipv4.tcp_tw_reuse: 1 }
`;
const { experiment } = loadProfile(PROFILE, 'guest.yaml');

async function run(name: string): Promise<Run> {
  const outcome = await runOne({
    lab,
    arm: experiment.arms.find((arm) => arm.name === name)!,
    planned: { id: name, variant: name, block: 0, warmup: false, order: 0, seed: 1 },
    network: 'veth',
    signal: new AbortController().signal,
    onSample: () => {},
  });
  assert.deepEqual([outcome.run.status, outcome.run.problems], ['ok', []], outcome.run.stderr ?? '');
  return outcome.run;
}

describe('a guest', { skip: process.arch !== 'x64' && 'User-Mode Linux is for x86-64' }, () => {
  let kernel: GuestKernel;
  let image: string;
  before(async () => {
    kernel = await guestKernel(guest, () => {});
    image = guestImage(kernel.modules);
  });
  const boot = (purpose: 'run' | 'check' = 'check') => bootGuest({ kernel, image, memory: MEMORY, purpose });

  it('has its own kernel, and sysctls of a whole machine, which change nothing here', async () => {
    const before = hostState();
    const { environment, network, findings, kernel: version } = await rehearse(experiment, lab);
    assert.deepEqual([findings, network, version.major, version.minor], [[], 'veth', 6, 1]);
    assert.match(
      environment.lab,
      /^virtual machine: User-Mode Linux, kernel bookworm, .*times are not those of this kernel/,
    );
    assert.deepEqual(hostState(), before);
  });

  it('held and bound first: P·S', async () => {
    const { outcomes } = await run('baseline');
    assert.deepEqual(outcomes, { ok: 200, 'bind:EADDRINUSE': 300 });
  });

  it('held and bound without a port: P·S·D', async () => {
    assert.deepEqual((await run('no-port')).outcomes, { ok: 400, 'connect:EADDRNOTAVAIL': 100 });
  });

  it('TIME_WAIT without tcp_tw_reuse: what is gone stays gone', async () => {
    const { waves } = await run('time-wait');
    assert.deepEqual(
      waves.map(({ outcomes }) => outcomes),
      [{ ok: 400, 'connect:EADDRNOTAVAIL': 100 }, { 'connect:EADDRNOTAVAIL': 500 }],
    );
  });

  it('TIME_WAIT with tcp_tw_reuse: all comes back after a second', async () => {
    const { waves, sysctls } = await run('tw-reuse');
    assert.deepEqual(
      waves.map(({ outcomes }) => outcomes),
      [{ ok: 400 }, { ok: 400 }],
    );
    assert.deepEqual([sysctls['vm.swappiness'], sysctls['net.core.netdev_max_backlog']], ['11', '1234']);
  });

  it('has a whole machine’s descriptors', async () => {
    const session = await lab.open('check');
    await session.close();
    assert.equal(session.hello.environment.descriptors, 1 << 20);
    assert.deepEqual(session.warnings, []);
    assert.match(session.stderr(), /Run \/init as init process/, 'the console is kept');
  });

  it('that panics is lost, and says why', async (t) => {
    const broken = join(scratchFolder(t), 'empty.cpio');
    writeFileSync(broken, 'nothing to boot from');
    const channel = bootGuest({ kernel, image: broken, memory: MEMORY, purpose: 'check' });
    await assert.rejects(greetAgent(channel, BOOT_MS), (error) => {
      assert.ok(error instanceof LabError);
      assert.match(error.message, /was lost: the kernel of the guest panicked \(/);
      return true;
    });
  });

  it('that does not answer in time is told from one that is lost', async () => {
    await assert.rejects(greetAgent(boot(), 200), (error) => {
      assert.ok(error instanceof LabError);
      assert.match(
        error.message,
        /^the lab did not come up: no answer within 0\.2 s \((?:the kernel has not|the guest is still)/,
      );
      return true;
    });
  });

  it('whose agent is killed by the session ends at once', async () => {
    const session: LabSession = await greetAgent(boot(), BOOT_MS);
    session.kill();
    await assert.rejects(session.next(), { name: 'AgentDied', message: 'the agent was killed by SIGKILL' });
  });

  it('leaves nothing after SIGKILL to the controller', async (t) => {
    const home = scratchFolder(t);
    const mark = newMark();
    writeFileSync(join(home, 'guest.yaml'), PROFILE.replace('attempts: 500', 'attempts: 100000'));
    const cli = startCli(['run', 'guest.yaml', '--quiet'], { cwd: home, env: mark.env });
    const guests = () => mark.processes().filter(({ command }) => command.some((word) => word.startsWith('initrd=')));
    await until('a guest', () => guests().length > 0 || undefined, 30_000);
    const before = readdirSync('/dev/shm').filter((name) => name.includes(`-${cli.pid}-`));
    cli.kill('SIGKILL');
    assert.equal((await cli.ended).signal, 'SIGKILL');
    await until('nothing is left', () => mark.processes().length === 0 || undefined, 5_000);
    await (await lab.open('check')).close();
    for (const name of before) assert.ok(!existsSync(join('/dev/shm', name)), 'the next start sweeps its folder');
  });
});

describe('a kernel that cannot be had', () => {
  for (const [path, message] of [
    ['/nowhere/linux', /the kernel \/nowhere\/linux cannot be read \(ENOENT\)/],
    [new URL(import.meta.url).pathname, /is not a User-Mode Linux kernel/],
    ['/bin/true', /the lab did not come up: the agent was lost: the guest ended with code 0/],
  ] as const)
    it(path, async () => {
      await assert.rejects(vmLab({ engine: 'uml', kernel: path }, () => {}).open('check'), (error) => {
        assert.ok(error instanceof LabError);
        assert.match(error.message, message);
        return true;
      });
    });
});
