import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dante } from '../../src/subjects/dante/dante.js';
import { haproxy } from '../../src/subjects/haproxy/haproxy.js';
import { nginx } from '../../src/subjects/nginx/nginx.js';
import type { ProxySetup } from '../../src/subjects/subject.js';
import { DANTE, HAPROXY, NGINX } from '../support/proxies.js';

const SETUP: ProxySetup = {
  directory: '/dev/shm/proxy',
  listen: [
    { address: '198.18.64.1', port: 3128 },
    { address: '198.18.64.2', port: 3128 },
  ],
  destinations: [
    { address: '198.19.0.1', port: 9000 },
    { address: '198.19.0.1', port: 9001 },
  ],
  outgoing: ['10.50.0.1', '10.50.0.2'],
  clients: [['198.18.128.1', '198.18.128.2'], ['198.18.128.3']],
  descriptors: 9000,
};

function linesOf(files: Readonly<Record<string, string>>, name: string, pattern: RegExp): string[] {
  return files[name]!.split('\n')
    .map((line) => line.trim())
    .filter((line) => pattern.test(line));
}

describe('haproxy', () => {
  const filesOf = (settings: Partial<typeof HAPROXY>) =>
    haproxy.configure({ ...HAPROXY, ...settings }, '/usr/sbin/haproxy', SETUP).files;

  it('has a frontend and a backend a destination, a server line for each outgoing address', () => {
    const files = filesOf({});
    assert.deepEqual(linesOf(files, 'haproxy.cfg', /^(?:bind|server) /), [
      'bind 198.18.64.1:3128',
      'server s0 198.19.0.1:9000 source 10.50.0.1',
      'server s1 198.19.0.1:9000 source 10.50.0.2',
      'bind 198.18.64.2:3128',
      'server s0 198.19.0.1:9001 source 10.50.0.1',
      'server s1 198.19.0.1:9001 source 10.50.0.2',
    ]);
    assert.equal(files['servers.map'], '198.18.128.1 s0\n198.18.128.2 s0\n198.18.128.3 s1\n');
  });

  it('has a range, which is another strategy', () => {
    const ports = { low: 50_000, high: 50_099 };
    assert.equal(
      linesOf(filesOf({ ports }), 'haproxy.cfg', /^server /)[0],
      'server s0 198.19.0.1:9000 source 10.50.0.1:50000-50099',
    );
    assert.equal(haproxy.strategy(HAPROXY, '2.6.12'), 'bind-no-port-reuseaddr');
    assert.equal(haproxy.strategy({ ...HAPROXY, ports }, '2.6.12'), 'bind-explicit-port');
  });

  it('says in its log what failed, and how each session ended', () => {
    const read = (line: string, log = 'haproxy.log') => haproxy.readLine(log, line, SETUP);
    assert.deepEqual(read('Connect() failed for backend b0: no free ports.'), {
      kind: 'failure',
      call: 'connect',
      errno: 'EADDRNOTAVAIL',
    });
    const range = 'Cannot bind to source address before connect() for backend b0.';
    assert.deepEqual(read(range), { kind: 'failure', call: null, errno: null });
    assert.equal(read(`[ALERT]    (36) : ${range} Aborting.`, 'standard error'), null);
    assert.deepEqual(read('session 503/SC 12'), { kind: 'request', result: '503/SC' });
    const full = read('session -- 4449');
    assert.match(full?.kind === 'request' ? (full.trouble ?? '') : '', /as many clients as its descriptors allow/);
    assert.deepEqual(read("[ALERT]    (36) : config : unknown keyword 'x'", 'standard error'), {
      kind: 'trouble',
      what: "it gave up: config : unknown keyword 'x'",
    });
    assert.equal(haproxy.version!.pattern.exec('HAProxy version 2.6.12-1+deb12u4 2026/10/17')?.[1], '2.6.12');
  });
});

describe('the maxconn of haproxy', () => {
  const { read } = haproxy.question!;
  it('is met when there are as many clients', () => {
    assert.equal(read('Maxconn: 4449\nHard_maxconn: 4449\nCurrConns: 4448\n'), null);
    assert.equal(read('Maxconn: 4449\nHard_maxconn: 4449\nCurrConns: 4449\n')?.kind, 'trouble');
    // No answer says nothing.
    assert.equal(read(''), null);
  });
});

describe('nginx', () => {
  const filesOf = (settings: Partial<typeof NGINX>) =>
    nginx.configure({ ...NGINX, ...settings }, '/usr/sbin/nginx', SETUP).files;

  it('has a server a destination, and maps the address of the client to that of the outgoing connection', () => {
    const lines = linesOf(filesOf({}), 'nginx.conf', /^(?:server|198\.18\.128\.\d+ 10)/);
    assert.deepEqual(lines, [
      '198.18.128.1 10.50.0.1;',
      '198.18.128.2 10.50.0.1;',
      '198.18.128.3 10.50.0.2;',
      'server { listen 198.18.64.1:3128 backlog=4096; location / { proxy_bind $outgoing; proxy_pass http://198.19.0.1:9000; } }',
      'server { listen 198.18.64.2:3128 backlog=4096; location / { proxy_bind $outgoing; proxy_pass http://198.19.0.1:9001; } }',
    ]);
  });

  it('passes connections on with its module stream', () => {
    const lines = linesOf(filesOf({ mode: 'tcp' }), 'nginx.conf', /^(?:load_module|stream|http|server)/);
    assert.equal(lines[0], 'load_module modules/ngx_stream_module.so;');
    assert.equal(lines[1], 'stream {');
    assert.equal(
      lines[2],
      'server { listen 198.18.64.1:3128 backlog=4096; proxy_bind $outgoing; proxy_pass 198.19.0.1:9000; }',
    );
  });

  it('loads that module only where it is one', () => {
    const { files } = nginx.configure({ ...NGINX, mode: 'tcp' }, '/usr/sbin/nginx', {
      ...SETUP,
      build: 'configure arguments: --with-stream_ssl_module --with-stream --with-threads\n',
    });
    assert.doesNotMatch(files['nginx.conf']!, /load_module/);
    for (const build of ['--with-stream=dynamic --with-stream_ssl_module', '--with-stream_ssl_module', '']) {
      const dynamic = nginx.configure({ ...NGINX, mode: 'tcp' }, '/usr/sbin/nginx', { ...SETUP, build });
      assert.match(dynamic.files['nginx.conf']!, /load_module/);
    }
  });

  it('keeps connections apart by outgoing address', () => {
    const lines = linesOf(filesOf({ persistent: true }), 'nginx.conf', /^upstream/);
    assert.equal(lines.length, 4);
    assert.equal(lines[1], 'upstream d0_1 { server 198.19.0.1:9000; keepalive 64; }');
  });

  it('says in its log what failed', () => {
    const read = (line: string, log = 'error.log') => nginx.readLine(log, line, SETUP);
    const at = '2026/11/22 06:08:21 [crit] 36#36: *201';
    const why = 'while connecting to upstream, client: 198.18.128.1';
    assert.deepEqual(read(`${at} connect() to 198.19.0.1:9000 failed (99: Cannot assign requested address) ${why}`), {
      kind: 'failure',
      call: 'connect',
      errno: 'EADDRNOTAVAIL',
    });
    assert.deepEqual(read(`${at} bind(10.50.0.1:50001) failed (98: Address already in use) ${why}`), {
      kind: 'failure',
      call: 'bind',
      errno: 'EADDRINUSE',
    });
    assert.deepEqual(read('2026/11/22 06:08:21 [alert] 36#36: 80 worker_connections are not enough'), {
      kind: 'trouble',
      what: 'it ran out of descriptors',
    });
    assert.deepEqual(read('502', 'access.log'), { kind: 'request', result: '502' });
  });
});

describe('dante', () => {
  it('has its outgoing address, and stays in the foreground', () => {
    const { files, argv } = dante.configure(DANTE, '/usr/sbin/danted', { ...SETUP, outgoing: ['10.50.0.1'] });
    assert.deepEqual(linesOf(files, 'danted.conf', /^(?:internal|external)/), [
      'internal: 198.18.64.1 port = 3128',
      'external: 10.50.0.1',
    ]);
    assert.ok(!argv.includes('-D'));
  });

  it('says in its log what failed', () => {
    const read = (line: string) =>
      dante.readLine('danted.log', `Nov 22 06:08:07 (1795327687.3) danted[42]: ${line}`, SETUP);
    assert.deepEqual(
      read('warning: bindexternaladdr(): could not bind tcp port 0 of IPv6 address fd00:50::1: this probably means …'),
      { kind: 'failure', call: 'bind', errno: 'EADDRINUSE' },
    );
    assert.deepEqual(read('info: block(1): tcp/connect ]: 198.18.128.1.20025 198.18.1.2.3128 -> …'), {
      kind: 'request',
      result: 'block tcp/connect',
    });
    assert.equal(read('info: Dante/server[1/1] v1.4.2 running'), null);
  });
});
