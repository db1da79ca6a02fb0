import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asSeen } from '../../src/analysis/as-seen.js';
import { program } from '../../src/subjects/program/program.js';
import { makeArm, makeRun } from '../support/runs.js';

const arm = { ...makeArm('baseline'), proxy: { ...program.defaults, command: ['node'] } };
const origin = (closedFirst: { client: number; server: number; reset: number; open: number }, requests = 9) => ({
  accepted: 9,
  listenOverflows: 0,
  seen: { requests, used: 9, closedFirst },
});
const syscalls = (open: number) => ({
  by: 'strace' as const,
  calls: { bind: 0, connect: 9 },
  failures: [],
  connections: { begun: 9, peak: 9, open, openAtFirstFailure: null, begunBeforeFirstFailure: null },
  ways: [
    { strategy: 'bind-reuseaddr' as const, to: '203.0.113.7:80', connections: 5 },
    { strategy: 'bind-reuseaddr' as const, to: '203.0.113.8:80', connections: 2 },
    { strategy: 'connect' as const, to: '198.18.0.2:53', connections: 1 },
  ],
});
const report = (open: number) => ({
  kind: 'program' as const,
  version: null,
  failures: [],
  requests: {},
  answers: {},
  troubles: [],
  ended: null,
  tail: [],
  cpu: { user: 0, system: 0 },
  memory: { peak: 0 },
  descriptors: null,
  roles: { client: {}, origin: {} },
  syscalls: syscalls(open),
});

describe('an arm as its program was seen', () => {
  it('has the strategy of most connections, and a destination for each place but name servers', () => {
    const run = { ...makeRun(), proxy: report(0), origin: origin({ client: 9, server: 0, reset: 0, open: 0 }) };
    const { load, proxy, destinations } = asSeen(arm, [run]);
    assert.equal(load.strategy, 'bind-reuseaddr');
    assert.deepEqual(destinations, { kind: 'lab', addresses: 1, ports: 2 });
    assert.equal(proxy && program.ending({ ...program.defaults, ...proxy } as typeof arm.proxy, {} as never), 'client');
  });

  it('keeps its connections where the program did not close them, though its end did', () => {
    const run = { ...makeRun(), proxy: report(8), origin: origin({ client: 7, server: 0, reset: 0, open: 2 }) };
    const { proxy } = asSeen(arm, [run]);
    assert.equal(proxy && 'ending' in proxy && proxy.ending, 'kept');
  });

  it('keeps its connections where it used them again and replaced none, though it closed them in the end', () => {
    const closed = { client: 9, server: 0, reset: 0, open: 0 };
    const endingOf = (requests: number, peak: number) => {
      const { syscalls: calls, ...rest } = report(0);
      const proxy = { ...rest, syscalls: { ...calls, connections: { ...calls.connections, peak } } };
      const seen = asSeen(arm, [{ ...makeRun(), proxy, origin: origin(closed, requests) }]).proxy;
      return seen && 'ending' in seen && seen.ending;
    };
    assert.equal(endingOf(150, 9), 'kept');
    assert.equal(endingOf(150, 1), 'client', 'each was replaced by the next');
    assert.equal(endingOf(9, 9), 'client', 'none was used again');
  });

  it('is as it was where nothing ran, where a run is of another arm, and where the subject is known', () => {
    const run = { ...makeRun({ variant: 'other' }), proxy: report(0) };
    assert.equal(asSeen(arm, [run]).load.strategy, arm.load.strategy);
    assert.deepEqual(asSeen(makeArm('baseline'), [{ ...makeRun(), proxy: report(0) }]), makeArm('baseline'));
  });
});
