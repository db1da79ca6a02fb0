import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bpfWay, REFUSABLE, refusedProgram } from '../../src/subjects/running/refused-program.js';

test('each way looks at every call, of one namespace or of all, and answers', () => {
  for (const way of ['end', 'both-ends'] as const) {
    const all = refusedProgram(null, way);
    for (const call of REFUSABLE) {
      assert.ok(all.includes(`\ntracepoint:syscalls:sys_exit_${call} `), `${call} at ${way}`);
      assert.equal(all.includes(`\ntracepoint:syscalls:sys_enter_${call} `), way === 'both-ends', call);
    }
    assert.equal(all.split('print(@refused)').length, 2, way);
    assert.ok(!all.includes('ns.inum =='), way);
    assert.equal(refusedProgram(4_026_531_840, way).split('ns.inum == 4026531840').length - 1, REFUSABLE.length, way);
  }
});

test('where the place of the registers is not known, both ends of a call are looked at', () => {
  assert.deepEqual(['x64', 'arm64', 'riscv64'].map(bpfWay), ['end', 'both-ends', 'both-ends']);
});
