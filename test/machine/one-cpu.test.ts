import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { leastBound, onOneCpu, parseCpuList } from '../../src/machine/one-cpu.js';

describe('a CPU for one process', () => {
  it('is one of those that the kernel allows', () => {
    assert.deepEqual(parseCpuList('0-2,5\n'), [0, 1, 2, 5]);
    assert.deepEqual(parseCpuList('3'), [3]);
    assert.deepEqual(parseCpuList(''), []);
  });

  it('is the one to which the fewest are bound, in turn where there are several', () => {
    assert.equal(leastBound([0, 1, 2], [[0], [0, 1, 2], [2], []]), 1);
    assert.equal(leastBound([4, 7], [[4], [7]], 2), 4);
    assert.equal(leastBound([4, 7], [[4], [7]], 3), 7);
  });

  it('is where the command runs', () => {
    const list = (words: string[]) =>
      /^Cpus_allowed_list:\s*(\S+)$/m.exec(
        spawnSync(words[0]!, words.slice(1), { encoding: 'utf8' }).stdout,
      )?.[1] as string;
    const own = parseCpuList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))![1]!);
    const words = onOneCpu();
    if (own.length < 2) assert.deepEqual(words, []);
    else {
      const bound = parseCpuList(list([...words, 'cat', '/proc/self/status']));
      assert.equal(bound.length, 1);
      assert.ok(own.includes(bound[0]!));
    }
  });
});
