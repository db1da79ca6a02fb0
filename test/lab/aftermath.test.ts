// needs: rinetd, apache2-bin, pen, python3
/**
 * What a program does when there is no port, and afterwards: it goes on from another address, as the origin sees; it works again as soon as ports
 * are free, or it does not.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LoadPlan } from '../../src/plan/plan.js';
import { program } from '../../src/subjects/program/program.js';
import { labArm, measure } from '../support/lab.js';

const PORTS = 8;
const ATTEMPTS = 12;
/** All of which find a port of the address that is not bound. */
const FEW = 6;
const SOURCE = '10.50.0.1';
const UNBOUND = '10.50.9.1';

/** Another program of the machine: connections from the same address, whose ports connect() has chosen. */
const HOLDER = `import socket, sys, time
held = []
for i in range(${PORTS}):
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
    s.bind((sys.argv[1], 0))
    s.connect((sys.argv[2], int(sys.argv[3])))
    held.append(s)
open(sys.argv[4], 'w').close()
time.sleep(600)`;
const HOLD = 'python3 {dir}/hold.py {source} $host $port {dir}/held & while [ ! -e {dir}/held ]; do sleep 0.01; done; ';

const RINETD =
  'echo "0.0.0.0 8080 $host $port [src={source}]" > {dir}/rinetd.conf; exec rinetd -f -c {dir}/rinetd.conf';
const HTTPD = `sed -i "s/ORIGIN/$host:$port/" {dir}/httpd.conf; exec apache2 -X -d {dir} -f {dir}/httpd.conf`;
const HTTPD_CONF = `ServerName lab.test
Listen 8080
PidFile httpd.pid
ErrorLog error.log
Mutex posixsem
${['mpm_prefork', 'authz_core', 'env', 'proxy', 'proxy_http'].map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
ProxySourceAddress {source}
SetEnv proxy-nokeepalive 1
ProxyPass / http://ORIGIN/
`;

/** @param script for bash, with $host and $port of the origin */
function asked(script: string, load: Partial<LoadPlan> = {}, attempts = FEW, unbound: string | null = UNBOUND) {
  const arrival = { shape: 'fill', attempts, failures: null, inFlight: attempts, waves: 1, pauseMs: 0 } as const;
  return {
    ...labArm({
      addresses: [SOURCE],
      // The origin waits, so that all connections are there at once.
      load: { protocol: 'get', holdMs: 300, timeoutMs: 30_000, arrival, ...load },
      sysctls: { 'net.ipv4.ip_local_port_range': `40000 ${40_000 + PORTS - 1}` },
    }),
    ...(unbound === null ? {} : { unbound }),
    proxy: {
      ...program.defaults,
      command: ['/bin/bash', '-c', `at={origin}; host=\${at%:*}; port=\${at#*:}; ${script}`],
      files: { 'hold.py': HOLDER, 'httpd.conf': HTTPD_CONF },
      ready: { listen: 8080 },
    },
  };
}

describe('connections from another address', () => {
  for (const [name, script] of [
    ['rinetd', RINETD],
    ['httpd with ProxySourceAddress', HTTPD],
  ] as const) {
    it(`${name} goes on unbound when bind() is refused, and is answered`, async () => {
      const { outcomes, origin } = await measure(asked(HOLD + script));
      assert.deepEqual(outcomes, { ok: FEW });
      assert.deepEqual([origin?.accepted, origin?.seen?.wrongSource], [PORTS + FEW, FEW]);
    });

    it(`${name} has the address that it was told while there are ports`, async () => {
      const { outcomes, origin } = await measure(asked(script, {}, PORTS));
      assert.deepEqual(outcomes, { ok: PORTS });
      assert.deepEqual([origin?.accepted, origin?.seen?.wrongSource], [PORTS, 0]);
    });
  }

  it('is seen by the internet of the lab too', async () => {
    const { outcomes, origin } = await measure(asked(HOLD + RINETD, { holdMs: 0 }));
    assert.deepEqual(outcomes, { ok: FEW });
    assert.deepEqual([origin?.accepted, origin?.seen?.wrongSource], [PORTS + FEW, FEW]);
  });

  it('is not asked where the profile does not tell unbound connections from others', async () => {
    const { origin } = await measure(asked(RINETD, {}, FEW, null));
    assert.equal(origin?.seen?.wrongSource, undefined);
  });

  it('is seen by an origin of bytes too, of a load without a subject that does not bind', async () => {
    const arm = labArm({
      addresses: [SOURCE],
      load: { strategy: 'connect', arrival: { shape: 'constant', rate: 100, durationMs: 100 } },
    });
    const { outcomes, origin } = await measure({ ...arm, unbound: UNBOUND });
    assert.deepEqual([outcomes, origin?.seen?.wrongSource], [{ ok: 10 }, 10]);
    const bound = await measure({ ...arm, load: { ...arm.load, strategy: 'bind' }, unbound: UNBOUND });
    assert.deepEqual([bound.outcomes, bound.origin?.seen?.wrongSource], [{ ok: 10 }, 0]);
  });
});

const PEN = (more: string) => `exec pen -f -r ${more} 0.0.0.0:8080 $host:$port`;
const recovery = { withinMs: 2000, everyMs: 50 };

describe('recovery once ports are free', () => {
  it('pen leaves the server out for 30 s after one failure, though there are ports again', async () => {
    const { outcomes, recovery: seen } = await measure(asked(PEN(''), { recovery }, ATTEMPTS));
    assert.equal(outcomes.ok, PORTS);
    assert.equal(seen?.seconds, null);
    assert.equal(seen?.freed, PORTS);
    assert.ok(seen!.attempts >= 20, String(seen?.attempts));
    assert.match(seen?.why ?? '', /^no attempt was ok within 2s after the ports were free: \d+ × /);
  });

  it('pen works again when it was told to leave it out for a second', async () => {
    const { recovery: seen } = await measure(
      asked(PEN('-b 1'), { recovery: { ...recovery, withinMs: 10_000 } }, ATTEMPTS),
    );
    assert.equal(seen?.why, null);
    // It counts whole seconds.
    assert.ok(seen!.seconds! > 0 && seen!.seconds! < 5, String(seen?.seconds));
  });

  it('rinetd works again at once, and so does a load of its own', async () => {
    const { recovery: seen, outcomes } = await measure(asked(RINETD, { recovery }, ATTEMPTS));
    assert.equal(outcomes.ok, PORTS);
    assert.ok(seen!.seconds! < 1, JSON.stringify(seen));
    const arm = labArm({
      load: { strategy: 'bind', recovery, arrival: { shape: 'constant', rate: 200, durationMs: 100 } },
      sysctls: { 'net.ipv4.ip_local_port_range': `40000 ${40_000 + PORTS - 1}` },
    });
    const alone = await measure(arm);
    assert.deepEqual(alone.outcomes, { ok: PORTS, 'bind:EADDRINUSE': 20 - PORTS });
    assert.equal(alone.recovery?.freed, PORTS);
    assert.ok(alone.recovery!.outcomes.ok! >= 1, JSON.stringify(alone.recovery));
    assert.ok(alone.recovery!.seconds! < 1, JSON.stringify(alone.recovery));
  });
});
