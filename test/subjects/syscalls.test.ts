import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bpfProgram, countBpf } from '../../src/subjects/running/syscalls.js';

describe('the maps of bpftrace', () => {
  it('count the same', () => {
    const count = countBpf();
    for (const line of [
      '{"type": "attached_probes", "data": {"probes": 5}}',
      '',
      // Asked twice: each answer has the whole.
      '{"type": "map", "data": {"@calls": {"bind": 700, "connect": 500}}}',
      '{"type": "map", "data": {"@failed": {"bind,13098,98": 699}}}',
      '{"type": "printf", "data": "bindstorm-counted\\n"}',
      '{"type": "map", "data": {"@calls": {"bind": 702, "connect": 500}}}',
      '{"type": "map", "data": {"@failed": {"bind,13098,98": 700, "connect,13134,99": 1}}}',
    ])
      count.add(line);
    assert.deepEqual(count.result(), {
      by: 'ebpf',
      calls: { bind: 702, connect: 500 },
      failures: [
        { pid: 13098, call: 'bind', errno: 'EADDRINUSE', count: 700 },
        { pid: 13134, call: 'connect', errno: 'EADDRNOTAVAIL', count: 1 },
      ],
    });
  });

  it('are of one network namespace', () => {
    assert.equal(bpfProgram(4026531840).split('ns.inum == 4026531840').length, 3);
  });
});
