import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTENDERS, canDo, isC, STRATEGIES } from '../../bench/churn.js';
import { compileChurn } from '../../bench/compile.js';
import { churnOf, inLab } from '../../bench/in-lab.js';

const settings = { rounds: 1, attempts: 300, warmUp: 0, inFlight: 16, sources: 2, destinations: 4, seed: 1 };

test('every contender of the bench does the same work', async (t) => {
  const compiled = compileChurn();
  t.after(() => typeof compiled === 'string' || compiled.remove());
  const churnProgram = typeof compiled === 'string' ? null : compiled.program;
  for (const contender of CONTENDERS) {
    for (const strategy of STRATEGIES.filter((strategy) => canDo(contender, strategy))) {
      if (isC(contender) && churnProgram === null) continue;
      const churn = churnOf(settings, { strategy, attempts: settings.attempts, warmUp: 0 });
      // The lab rejects when other than `attempts` sockets are left after their close.
      const { ok, failed, timed, seconds } = await inLab({ kind: 'churn', contender, churn, churnProgram });
      assert.deepEqual({ ok, failed, timed }, { ok: 300, failed: 0, timed: 300 }, `${contender} with ${strategy}`);
      assert.ok(seconds > 0);
    }
  }
});

test('the bench takes snapshots of exactly the sockets that it made', async () => {
  const churn = churnOf(settings, { strategy: 'bind-no-port', attempts: 300, warmUp: 0 });
  const cost = await inLab({ kind: 'sock-diag', churn, snapshots: 2 });
  assert.deepEqual([cost.sockets, cost.snapshots.length, cost.dumps.length], [300, 2, 2]);
});
