// needs: squid, haproxy, nginx, tinyproxy-bin
/**
 * Configuration files of the user's own under real proxies: they come up with the lab's addresses, and the counts are those of the file.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { filesFrom } from '../../src/commands/read-files.js';
import { loadProfile } from '../../src/profile/load.js';
import type { Results } from '../../src/results/schema.js';
import { runCli } from '../support/cli.js';
import { measure } from '../support/lab.js';
import { mayHaveNamespaces, ordinaryUser } from '../support/ordinary-user.js';

const P = 50;

interface Own {
  readonly kind: string;
  readonly file: string;
  readonly addresses?: readonly string[];
  readonly destinations?: number;
  readonly load: string;
  readonly subject?: string;
}

/** One run of a profile that has the file as its base. */
async function run({ kind, file, addresses = ['10.50.0.1'], destinations = 1, load, subject = '' }: Own) {
  const folder = mkdtempSync(join(tmpdir(), 'bindstorm-base-'));
  try {
    writeFileSync(join(folder, 'own.conf'), file);
    const text = `name: own
subject: { kind: ${kind}, base: own.conf${subject} }
addresses: { list: [${addresses.join(', ')}] }
destinations: { addresses: ${destinations} }
sysctls: { net.ipv4.ip_local_port_range: 40000 ${40_000 + P - 1} }
load: { lagBudget: 60s, timeout: 30s, ${load} }
variants: [{ name: v }]
`;
    const { experiment } = loadProfile(text, 'own.yaml', { folder, readFiles: filesFrom(folder) });
    const measured = await measure(experiment.arms[0]!);
    assert.deepEqual(measured.problems, []);
    return measured;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const held = (attempts: number) => `hold: 60s, arrival: { shape: constant, rate: ${attempts * 2}/s, duration: 500ms }`;

describe('a configuration file of the user’s own', { concurrency: true }, () => {
  it('Squid: its addresses by turns of its own, its access rules not in the way', async () => {
    const file = `acl SSL_ports port 443
http_access deny CONNECT !SSL_ports
http_access deny all
http_port 8080
cache_dir ufs /var/spool/squid 100 16 256
access_log /var/log/squid/access.log
pid_filename /run/squid.pid
cache_effective_user proxy
tcp_outgoing_address 192.0.2.77
`;
    const { outcomes, configured, proxy } = await run({ kind: 'squid', file, load: held(80) });
    assert.deepEqual(outcomes, { ok: P, 'http:503 ERR_CONNECT_FAIL': 80 - P });
    assert.match(configured!['squid.conf']!, /^tcp_outgoing_address 10\.50\.0\.1$/m);
    assert.match(configured!['squid.conf']!, /^# left out by bindstorm: cache_dir ufs/m);
    assert.equal(proxy?.failures[0]?.errno, 'EADDRINUSE');
  });

  it('tinyproxy: both of its Bind lines', async () => {
    const file =
      'User nobody\nPort 8888\nAllow 127.0.0.1\nConnectPort 443\nMaxClients 500\nBind 192.0.2.1\nBind 192.0.2.2\n';
    const addresses = ['10.50.0.1', '10.50.0.2'];
    const { outcomes } = await run({ kind: 'tinyproxy', file, addresses, load: held(130) });
    assert.equal(outcomes.ok, 2 * P);
    assert.equal(outcomes['http:500'], 30);
  });

  it('HAProxy: its two servers are the two destinations, behind one listener', async () => {
    const file = `global
  log /dev/log local0
  chroot /var/lib/haproxy
  user haproxy
  daemon
  maxconn 1000
defaults
  mode tcp
  option tcplog
  retries 0
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend web
  bind *:80
  default_backend apps
backend apps
  balance roundrobin
  server a1 10.1.0.1:8080 source 192.0.2.1
  server a2 10.1.0.2:8080 source 192.0.2.1
`;
    const { outcomes, ports } = await run({ kind: 'haproxy', file, destinations: 2, load: held(120) });
    assert.equal(outcomes.ok, 2 * P);
    assert.equal(ports.finalStates?.ESTABLISHED, 2 * P);
  });

  it('nginx: an upstream of two servers and proxy_bind, with workers of its own', async () => {
    const file = `user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events { worker_connections 500; }
http {
  access_log /var/log/nginx/access.log;
  proxy_next_upstream off;
  upstream apps { server 10.1.0.1:8080 max_fails=0; server 10.1.0.2:8080 max_fails=0; }
  server {
    listen 80;
    listen [::]:80;
    location / { proxy_bind 192.0.2.1; proxy_pass http://apps; }
  }
}
`;
    const load = 'arrival: { shape: constant, rate: 240/s, duration: 500ms }';
    const { outcomes, ports } = await run({ kind: 'nginx', file, destinations: 2, load });
    assert.equal(outcomes.ok, 2 * P);
    assert.equal(ports.peak, P);
  });

  it('without root too', async (t) => {
    const user = await ordinaryUser(t);
    if (typeof user === 'string') return t.skip(user);
    if (!mayHaveNamespaces(user)) return t.skip('user namespaces are forbidden here');
    writeFileSync(join(user.cwd, 'tiny.conf'), 'User root\nPort 8888\nAllow 127.0.0.1\nBind 192.0.2.1\n');
    const load = `load: { lagBudget: 60s, timeout: 30s, ${held(70)} }`;
    writeFileSync(
      join(user.cwd, 'own.yaml'),
      `name: own\nsubject: { kind: tinyproxy, base: tiny.conf }\naddresses: { list: [10.50.0.1] }\nsysctls: { net.ipv4.ip_local_port_range: 40000 40049 }\n${load}\nrepeat: 1\nwarmup: 0\nvariants: [{ name: v }]\n`,
    );
    const end = await runCli(['run', 'own.yaml', '--json', '--force'], user);
    assert.equal(end.code, 0, end.stderr);
    const { folder, variants } = JSON.parse(end.stdout) as Results & { folder: string };
    assert.deepEqual(variants[0]!.runs[0]!.outcomes, { ok: P, 'http:500': 70 - P });
    const report = readFileSync(join(user.cwd, folder, 'report.md'), 'utf8');
    assert.match(report, /What the lab changed in the configuration file of baseline, v/);
    assert.match(report, /\| `tiny\.conf:4` \| `Bind 192\.0\.2\.1` \| 192\.0\.2\.1 is the profile's address \|/);
  });

  it('what the program itself does not accept is said in its words', async () => {
    await assert.rejects(
      run({
        kind: 'nginx',
        file: 'events {}\nhttp { nonsense on; server { listen 80; location / { proxy_pass http://10.1.0.1; } } }',
        load: 'arrival: { shape: fill, attempts: 10 }',
      }),
      /the proxy \(nginx\) ended with code 1 before it listened: it gave up: unknown directive "nonsense"/,
    );
  });
});
