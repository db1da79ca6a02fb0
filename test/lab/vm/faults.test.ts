// needs: qemu-system-x86
/**
 * What goes wrong with guests, on both engines: each is an error that says what it was, and nothing is left of the guest.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { ENGINES } from '../../../src/domain/guest.js';
import { runOne } from '../../../src/experiment/run-one.js';
import { greetAgent } from '../../../src/lab/agent-channel.js';
import { LabError } from '../../../src/lab/lab.js';
import { preparingRuns } from '../../../src/lab/prepared-runs.js';
import { bootGuest, type GuestPlan } from '../../../src/lab/vm/boot.js';
import { openGuest } from '../../../src/lab/vm/vm.js';
import { cacheDirectory } from '../../../src/machine/xdg.js';
import { loadProfile } from '../../../src/profile/load.js';
import type { Run } from '../../../src/results/schema.js';
import { CLI, scratchFolder, startCli, until } from '../../support/cli.js';
import { engineProcesses, KERNEL, planFor, SKIP, signalEngines } from '../../support/guests.js';
import { newMark } from '../../support/processes.js';

/** Long enough for the load to begin on a busy machine; the load itself is longer. */
const RUN_MS = 12_000;
const ENOUGH_FOR_EVER = 2 ** 50;

const profile = (sysctls: string) => `name: faults
addresses: { cidr: 10.50.0.0/24, count: 2 }
load: { hold: 0s, arrival: { shape: constant, rate: 50/s, duration: 60s } }
sysctls: { ${sysctls} }
variants: [{ name: v }]
`;

for (const engine of ENGINES) {
  describe(`a guest of ${engine}`, SKIP, () => {
    let plan: GuestPlan;
    before(async () => {
      plan = await planFor(engine);
    });

    /** A run in a guest, of which something is told when its load is under way. */
    async function run(
      sysctls: string,
      underWay: (abort: () => void) => void = () => {},
      deadlineMs?: number,
    ): Promise<Run> {
      const controller = new AbortController();
      let told = false;
      const { run } = await runOne({
        lab: { kind: 'vm', description: engine, open: (purpose) => openGuest({ ...plan, purpose }) },
        arm: loadProfile(profile(sysctls), 'faults.yaml').experiment.arms[0]!,
        planned: { id: 'r', variant: 'baseline', block: 0, warmup: false, order: 0, seed: 1 },
        network: 'veth',
        signal: controller.signal,
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
        onSample() {
          if (!told) underWay(() => controller.abort());
          told = true;
        },
      });
      assert.equal(run.status, 'failed');
      assert.deepEqual(engineProcesses(), [], 'nothing of it is left');
      return run;
    }

    it('that does not answer in time is told from one that is lost', async () => {
      await assert.rejects(greetAgent(bootGuest(plan), 200), (error) => {
        assert.ok(error instanceof LabError);
        assert.match(
          error.message,
          /^the lab did not come up: no answer within 0\.2 s(?:, and \d+ s for want of a CPU)? \((?:the kernel has not|the guest is still)/,
        );
        return true;
      });
      assert.deepEqual(engineProcesses(), []);
    });

    it('that panics at boot is lost, twice, and says why', async (t) => {
      const image = join(scratchFolder(t), 'empty.cpio');
      writeFileSync(image, 'nothing to boot from');
      await assert.rejects(openGuest({ ...plan, image }), (error) => {
        assert.ok(error instanceof LabError);
        assert.match(error.message, /was lost: the kernel of the guest panicked \(VFS: /);
        return true;
      });
    });

    it('that was begun ahead of its use ends with the lab, though it is still booting', async () => {
      const lab = preparingRuns({
        kind: 'vm',
        description: engine,
        open: (purpose, signal) => openGuest({ ...plan, purpose }, signal),
      });
      const checking = lab.open('check');
      await until('two guests', () => engineProcesses().length >= 2);
      await lab.release?.();
      await (await checking).close();
      assert.deepEqual(engineProcesses(), []);
    });

    it('that dies before its agent says hello is started once more, and that is told; killed by the session, it ends at once', async (t) => {
      const session = await openGuest(dyingOnce(t, plan));
      assert.deepEqual(session.warnings, [
        'a first guest was lost before its agent said hello (the agent was lost: the guest ended with code 3: good-bye)',
      ]);
      session.kill();
      await assert.rejects(session.next(), { name: 'AgentDied', message: 'the agent was killed by SIGKILL' });
      await session.close();
    });

    // A process that stands still is one for the controller, whichever engine it is; booting QEMU's for it takes a minute without KVM.
    if (engine === 'uml') {
      it('that hangs in a run is given up', async () => {
        const { problems } = await run('', (abort) => {
          signalEngines('SIGSTOP');
          abort();
        });
        assert.match(problems.join(), /^the agent did not end after it was told to stop \(5 s\)$/);
      });

      it('that is stuck in a run is given up at the deadline of the run', async () => {
        const freeze = () => {
          signalEngines('SIGSTOP');
        };
        const { problems } = await run('', freeze, RUN_MS);
        assert.equal(problems.join(), `the run took longer than its deadline (${RUN_MS / 1000} s)`);
      });
    }

    it('that is killed in a run is a failed run, and its console is kept', async () => {
      const { problems, stderr } = await run('', () => {
        signalEngines('SIGKILL');
      });
      assert.match(
        problems[0]!,
        /^the agent was (?:lost: the guest ended with (?:SIGKILL|code \d+)|killed by SIGKILL)/,
      );
      assert.match(stderr!, /Run \/init as init process/);
    });

    // Watermarks above all memory: every allocation waits for pages that nobody can free (admin-guide/sysctl/vm.rst).
    it('that has no memory left is a failed run that says so', async () => {
      const { problems, stderr } = await run('vm.min_free_kbytes: 4000000');
      assert.match(`${problems[0]} ${stderr}`, /out of memory|Out of memory/);
    });

    it('whose kernel panics in a run is a failed run that says so', async () => {
      const { problems } = await run('vm.panic_on_oom: 2, vm.min_free_kbytes: 4000000');
      assert.match(problems[0]!, /^the agent was lost: the kernel of the guest panicked \(.*panic_on_oom/);
    });

    it('for whose memory there is no room here is refused', async () => {
      await assert.rejects(openGuest({ ...plan, memory: ENOUGH_FOR_EVER }), (error) => {
        assert.ok(error instanceof LabError && error.remedy !== null);
        assert.match(error.message, /^a guest (?:needs|may come to use) 1073741824 MiB/);
        return true;
      });
    });

    it('leaves nothing after SIGKILL to the controller', async (t) => {
      const home = scratchFolder(t);
      const mark = newMark();
      writeFileSync(
        join(home, 'guest.yaml'),
        profile('').replace('load:', `lab: { kind: vm, engine: ${engine}, kernel: ${KERNEL} }\nload:`),
      );
      const cli = startCli(['run', 'guest.yaml', '--quiet'], { cwd: home, env: mark.env });
      const guests = () => mark.processes().filter(({ command }) => /(?:^| )-?initrd\b/.test(command.join(' ')));
      await until('a guest', () => guests().length > 0 || undefined);
      const mounts = spawnSync('mount', { encoding: 'utf8' }).stdout;
      cli.kill('SIGKILL');
      assert.equal((await cli.ended).signal, 'SIGKILL');
      await until('nothing is left', () => mark.processes().length === 0 || undefined);
      assert.equal(spawnSync('mount', { encoding: 'utf8' }).stdout, mounts);
    });
  });
}

/** A plan whose engine ends at once the first time. */
function dyingOnce(t: TestContext, plan: GuestPlan): GuestPlan {
  const folder = scratchFolder(t);
  const script = (real: string) =>
    `#!/bin/sh\nif mkdir ${folder}/died 2>/dev/null; then echo good-bye; exit 3; fi\nexec ${real} "$@"\n`;
  if (plan.kernel.engine === 'uml') {
    const path = join(folder, 'linux');
    writeFileSync(path, script(plan.kernel.path), { mode: 0o755 });
    return { ...plan, kernel: { ...plan.kernel, path } };
  }
  const real = spawnSync('sh', ['-c', 'command -v qemu-system-x86_64'], { encoding: 'utf8' }).stdout.trim();
  writeFileSync(join(folder, 'qemu-system-x86_64'), script(real), { mode: 0o755 });
  const { PATH } = process.env;
  process.env.PATH = `${folder}:${PATH}`;
  t.after(() => {
    process.env.PATH = PATH;
  });
  return plan;
}

it('a file system without room for the image is told, and half an image is not left there', SKIP, async (t) => {
  await planFor('uml');
  const home = scratchFolder(t);
  mkdirSync(join(home, 'small'));
  const script = `mount -t tmpfs -o size=20m none ${home}/small && mkdir ${home}/small/bindstorm &&
ln -s ${cacheDirectory()}/kernels ${home}/small/bindstorm/kernels &&
XDG_CACHE_HOME=${home}/small ${process.execPath} ${CLI} plan quickstart --lab vm --kernel ${KERNEL}; code=$?; ls ${home}/small/bindstorm/images; exit $code`;
  const namespaces = ['--mount', ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'])];
  const { stdout, status } = spawnSync('unshare', [...namespaces, 'sh', '-c', script], { encoding: 'utf8' });
  assert.equal(status, 3, stdout);
  assert.match(
    stdout.replaceAll(/\s+/g, ' '),
    /it cannot run here: the guest image cannot be made: .* cannot be written \(ENOSPC/,
  );
  assert.doesNotMatch(stdout, /\.(?:part|cpio)$/m);
});
