import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { withDeadline } from '../../src/machine/promises.js';
import { waitedForCpu, watchStarvation } from '../../src/machine/waited-for-cpu.js';

describe('the wait for a CPU', () => {
  it('grows while a process and its like are given one CPU', async (t) => {
    // Two that never rest, below a shell, on the CPU that this process may use first.
    const script = 'taskset -pc 0 $$ >/dev/null 2>&1; (while :; do :; done) & (while :; do :; done) & wait';
    const child = spawn('sh', ['-c', script], { detached: true, stdio: 'ignore' });
    t.after(() => process.kill(-child.pid!, 'SIGKILL'));
    await once(child, 'spawn');
    // Of each second one of them waits for half, however fast the machine is.
    for (let looks = 0; waitedForCpu(child.pid!) < 200; looks++) {
      assert.ok(looks < 600, `${waitedForCpu(child.pid!)} ms`);
      await wait(100);
    }
  });

  it('is nothing for a process that is gone', () => assert.equal(waitedForCpu(2 ** 22 + 1), 0));
});

describe('starvation', () => {
  it('is what this process itself was late, too: in a guest nothing else tells of a busy host', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    let now = 1000;
    const starvation = watchStarvation(undefined, () => now);
    t.after(starvation.stop);
    now += 500;
    t.mock.timers.tick(500);
    assert.equal(starvation.ms(), 0, 'a beat in time');
    now += 20_500;
    t.mock.timers.tick(500);
    assert.equal(starvation.ms(), 20_000, 'a beat that came late');
    now += 3500;
    assert.equal(starvation.ms(), 23_000, 'one that is due and has not come');
  });

  it('is what others waited from then on', async (t) => {
    const script = 'taskset -pc 0 $$ >/dev/null 2>&1; (while :; do :; done) & (while :; do :; done) & wait';
    const child = spawn('sh', ['-c', script], { detached: true, stdio: 'ignore' });
    t.after(() => process.kill(-child.pid!, 'SIGKILL'));
    await once(child, 'spawn');
    const starvation = watchStarvation(child.pid, () => 0);
    t.after(starvation.stop);
    for (let looks = 0; starvation.ms() < 200; looks++) {
      assert.ok(looks < 600, `${starvation.ms()} ms`);
      await wait(100);
    }
  });
});

describe('a deadline', () => {
  const never = new Promise<never>(() => {});
  it('is put off by what does not count, at the most to six times its length', async () => {
    const excused = () => Number.POSITIVE_INFINITY;
    const begun = performance.now();
    await assert.rejects(
      withDeadline(never, 20, () => 'late', excused),
      /late/,
    );
    assert.ok(performance.now() - begun >= 115, 'six times 20 ms');
  });

  it('is not, for what counts', async () => {
    await assert.rejects(
      withDeadline(never, 5, () => 'late'),
      /late/,
    );
    assert.equal(await withDeadline(Promise.resolve(1), 5, () => 'late'), 1);
  });
});
