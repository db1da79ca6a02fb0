// needs: unbound, dnsdist, coturn, strace
/**
 * Servers of UDP as the subject, asked by the datagram engine: unbound, which draws a port for each query from a list of its own; dnsdist, whose
 * sockets are there before it is asked; and coturn, which has a port for each relay.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { release } from 'node:os';
import { describe, it } from 'node:test';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { predictArm } from '../../src/capacity/predict.js';
import type { Arm, LoadPlan } from '../../src/plan/plan.js';
import { coturn } from '../../src/subjects/coturn/coturn.js';
import { dnsdist } from '../../src/subjects/dnsdist/dnsdist.js';
import { type ProxySettings, proxySubjectOf } from '../../src/subjects/index.js';
import { unbound } from '../../src/subjects/unbound/unbound.js';
import { type LabArm, labArm, measure, tenAddresses } from '../support/lab.js';

const P = 20;
const FAIL = 'dns:SERVFAIL';
const PORTS = { low: 40_000, high: 40_000 + P - 1 };
const RANGE = 'net.ipv4.ip_local_port_range';

type Asked = Omit<Partial<LabArm>, 'load'> & { readonly load?: Partial<LoadPlan> };

/** As many queries at once as there are attempts: none is answered before all were asked. */
function arm(proxy: ProxySettings, attempts: number, { load, ...rest }: Asked = {}): Arm {
  const subject = proxySubjectOf(proxy.kind);
  return {
    ...labArm({
      ...rest,
      load: {
        protocol: subject.protocols(proxy)[0],
        strategy: subject.strategy(proxy, null),
        peer: 'connect',
        ports: subject.ownPorts?.(proxy) ?? null,
        exchange: null,
        answerAfterMs: 4000,
        holdMs: null,
        timeoutMs: 60_000,
        arrival: { shape: 'fill', attempts, failures: null, inFlight: attempts, waves: 1, pauseMs: 0 },
        ...load,
      },
    }),
    proxy,
  };
}

const own = (settings: Partial<typeof unbound.defaults> = {}) => ({ ...unbound.defaults, ports: PORTS, ...settings });
const predicted = (of: Arm) => predictArm(of, parseKernelVersion(release()), {}).prediction;

describe('unbound, with 20 ports of its own', { concurrency: true }, () => {
  for (const [title, rest, room] of [
    ['one address: P', {}, P],
    ['two addresses: P for each', { addresses: tenAddresses(2) }, 2 * P],
    [
      'four servers, which a UDP port does not tell apart: P',
      { destinations: { kind: 'lab', addresses: 1, ports: 4 } },
      P,
    ],
    ["the kernel's range is another, and has fewer ports: P", { sysctls: { [RANGE]: '50000 50004' } }, P],
    ['IPv6: P', { addresses: ['fd00:50::1'] }, P],
  ] as const)
    it(title, async () => {
      const asked = arm(own(), room + 15, rest);
      const run = await measure(asked);
      assert.deepEqual(run.outcomes, { ok: room, [FAIL]: 15 });
      assert.deepEqual(run.problems, []);
      assert.equal(run.ports.peak, room);
      assert.equal(run.origin?.accepted, room);
      assert.deepEqual(run.proxy?.answers, { SERVFAIL: 15 });
      assert.match(run.proxy?.version ?? '', /^1\.\d+/);
      const { concurrent, formula } = predicted(asked);
      assert.equal(concurrent, room, formula);
    });
});

describe('unbound otherwise', { concurrency: true }, () => {
  it('knows by itself that it has no port: no call is refused, and it tries five times for each SERVFAIL', async () => {
    const run = await measure(arm(own(), P + 5), { observe: 'strace' });
    assert.deepEqual(run.outcomes, { ok: P, [FAIL]: 5 });
    assert.deepEqual(run.proxy?.syscalls?.failures, []);
    assert.equal(run.proxy?.syscalls?.calls.connect, P);
    assert.deepEqual(
      run.proxy?.failures.map(({ call, errno, count }) => ({ call, errno, count })),
      [{ call: 'bind', errno: 'EADDRINUSE', count: 25 }],
    );
  });

  it('a port is free with its answer: 500 queries on 20 ports, one after the other', async () => {
    const arrival = { shape: 'fill', attempts: 500, failures: null, inFlight: 8, waves: 1, pauseMs: 0 } as const;
    const run = await measure(arm(own(), 500, { load: { answerAfterMs: 0, holdMs: 0, arrival } }));
    assert.deepEqual(run.outcomes, { ok: 500 });
    assert.equal(run.origin?.accepted, 500, 'nothing was in the cache');
  });

  it('outgoing-range: 24 queries by 8 sockets, which wait for each other, and all are answered', async () => {
    const asked = arm(own({ outgoingRange: 8 }), 24, { load: { answerAfterMs: 500 } });
    const run = await measure(asked);
    assert.deepEqual(run.outcomes, { ok: 24 });
    assert.equal(run.capacity.tuples, 8);
    assert.equal(predicted(asked).concurrent, null);
  });

  it('two threads have the ports of the list between them', async () => {
    const asked = arm(own({ threads: 2 }), 4 * P);
    assert.deepEqual((await measure(asked)).outcomes, { ok: P, [FAIL]: 3 * P });
    assert.equal(predicted(asked).concurrent, null);
  });

  it('1,500 queries of one client wait at once, which the defaults of today leave without an answer', async () => {
    // Not all in one instant, which would be more than its socket's buffer holds.
    const arrival = { shape: 'constant', rate: 750, durationMs: 2000 } as const;
    const all = own({ ports: { low: 20_000, high: 23_999 } });
    assert.deepEqual((await measure(arm(all, 0, { load: { arrival } }))).outcomes, { ok: 1500 });
    assert.match(execFileSync('unbound-checkconf', ['-o', 'wait-limit', '/dev/null'], { encoding: 'utf8' }), /^1000$/m);
    const limited = { ...all, config: ['wait-limit: 1000'] };
    const { outcomes } = await measure(arm(limited, 0, { load: { arrival, timeoutMs: 8000 } }));
    assert.deepEqual(Object.keys(outcomes).sort(), ['answer:none', 'ok']);
  });

  it('without a list it has more ports than are asked for', async () => {
    assert.deepEqual((await measure(arm(unbound.defaults, 200))).outcomes, { ok: 200 });
  });
});

describe('dnsdist', { concurrency: true }, () => {
  const balancer = (settings: Partial<typeof dnsdist.defaults> = {}) => ({ ...dnsdist.defaults, ...settings });
  const four = { sysctls: { [RANGE]: '40000 40003' } };

  it('one socket carries all: 50 queries at once by one port', async () => {
    const asked = arm(balancer(), 50);
    const run = await measure(asked);
    assert.deepEqual(run.outcomes, { ok: 50 });
    assert.deepEqual(run.problems, []);
    assert.equal(run.ports.peak, 1);
    assert.match(run.proxy?.version ?? '', /^1\.\d+/);
    assert.equal(predicted(asked).unbounded, true);
  });

  it('a socket for each server and address', async () => {
    const destinations = { kind: 'lab', addresses: 1, ports: 3 } as const;
    const run = await measure(arm(balancer(), 60, { destinations, addresses: tenAddresses(2) }));
    assert.deepEqual(run.outcomes, { ok: 60 });
    assert.equal(run.capacity.tuples, 6);
  });

  it('source: its sockets share ports by SO_REUSEADDR, and no answer is lost, since it listens to all of them', async () => {
    const run = await measure(arm(balancer({ sockets: 8 }), 50, four), { observe: 'strace' });
    assert.deepEqual(run.outcomes, { ok: 50 });
    assert.equal(run.capacity.tuples, 8);
    assert.ok(run.ports.peak! <= 4);
    assert.deepEqual(run.proxy?.failures, []);
  });

  it('without source: connect() finds no port at the start, and the server stays without a socket', async () => {
    const run = await measure(arm(balancer({ sockets: 8, source: false }), 10, { ...four, load: { timeoutMs: 2500 } }));
    assert.deepEqual(run.outcomes, { 'answer:none': 10 });
    assert.deepEqual(
      run.proxy?.failures.map(({ call, errno, count }) => ({ call, errno, count })),
      [{ call: 'connect', errno: 'EAGAIN', count: 1 }],
    );
  });
});

describe('coturn, with 20 ports for relays', { concurrency: true }, () => {
  const relay = { ...coturn.defaults, ports: PORTS };

  it('P relays, then 508', async () => {
    const asked = arm(relay, P + 10);
    const run = await measure(asked, { observe: 'strace' });
    assert.deepEqual(run.outcomes, { ok: P, 'turn:508': 10 });
    assert.deepEqual(run.problems, []);
    assert.equal(run.ports.peak, P);
    assert.deepEqual(run.proxy?.answers, { '508': 10 });
    assert.deepEqual(run.proxy?.syscalls?.failures, [], 'it knows by itself');
    assert.equal(predicted(asked).concurrent, P);
  });

  it("the kernel's range is another, and has fewer ports: P", async () => {
    const run = await measure(arm(relay, P + 10, { sysctls: { [RANGE]: '50000 50004' } }));
    assert.deepEqual(run.outcomes, { ok: P, 'turn:508': 10 });
  });

  it('an allocation outlives the socket of its client: ports do not come back', async () => {
    const arrival = { shape: 'fill', attempts: P + 5, failures: null, inFlight: 1, waves: 1, pauseMs: 0 } as const;
    const run = await measure(arm(relay, P + 5, { load: { holdMs: 0, arrival } }));
    assert.deepEqual(run.outcomes, { ok: P, 'turn:508': 5 });
  });
});
