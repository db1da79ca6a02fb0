/**
 * Configuration files of the user's own: what of them the lab changes, line by line, and what it refuses.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  adopted,
  type BaseRules,
  changesIn,
  type Directive,
  listenersOf,
  problemsOf,
  type ReadFiles,
  readBase,
} from '../../src/subjects/base/base.js';
import { blockSyntax, lineSyntax } from '../../src/subjects/base/syntax.js';
import { haproxy } from '../../src/subjects/haproxy/haproxy.js';
import { nginx } from '../../src/subjects/nginx/nginx.js';
import { squid } from '../../src/subjects/squid/squid.js';
import { tinyproxy } from '../../src/subjects/tinyproxy/tinyproxy.js';

const LAB = {
  directory: '/lab',
  listen: [{ address: '198.18.1.2', port: 3128 }],
  destinations: [
    { address: '198.19.0.1', port: 9000 },
    { address: '198.19.0.2', port: 9000 },
  ],
  outgoing: ['10.50.0.1', '10.50.0.2'],
  descriptors: 1000,
} as const;

const RULES = {
  squid: squid.base!(squid.defaults),
  haproxy: haproxy.base!(haproxy.defaults),
  nginx: nginx.base!(nginx.defaults),
  tinyproxy: tinyproxy.base!(tinyproxy.defaults),
};

function files(all: Record<string, string>): ReadFiles {
  return (pattern) =>
    pattern.includes('*')
      ? {
          files: Object.entries(all).flatMap(([file, text]) =>
            file.startsWith(pattern.split('*')[0]!) ? [{ file, text }] : [],
          ),
        }
      : pattern in all
        ? { files: [{ file: pattern, text: all[pattern]! }] }
        : { problem: `${pattern} cannot be read (ENOENT)` };
}

function read(rules: BaseRules, text: string, more: Record<string, string> = {}) {
  const base = readBase('own.conf', rules, files({ 'own.conf': text, ...more }));
  if ('problem' in base) throw new Error(base.problem);
  return base;
}

/** The lines that remain, without those that the lab adds, and its comments. */
function lines(rules: BaseRules, text: string): string[] {
  const port: Directive = { at: '', text: '', name: 'http_port', args: [], within: [], part: -1 };
  const added = rules.add(LAB, [port]).flatMap((each) => each.lines);
  return adopted(read(rules, text), rules, LAB)
    .trim()
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !line.startsWith('#') && !added.includes(line));
}

function problems(rules: BaseRules, text: string, lab = { addresses: 1, destinations: 1, reverse: false }): string[] {
  return problemsOf(read(rules, text), rules, lab);
}

const REVERSE = { addresses: 1, destinations: 1, reverse: true };

describe('the forms of files', () => {
  it('a directive a line, without comments; Squid joins lines', () => {
    const text = '# a\n\n  http_port 3128 \nacl a src \\\n  10.0.0.1 \\\n  10.0.0.2\nvia off';
    assert.deepEqual(lineSyntax(true).split(text), [
      [3, 'http_port 3128'],
      [4, 'acl a src 10.0.0.1 10.0.0.2'],
      [7, 'via off'],
    ]);
  });

  it('blocks in braces, whatever is on a line', () => {
    const text = `events {}
http { # all
  server { listen 80; location ~ "^/a{2};$" { proxy_pass http://\${host}x; } }
  log_format f 'a;b' # c }
    "$status";
  content_by_lua_block { local t = {}; ngx.say("}{") }
}`;
    assert.deepEqual(blockSyntax.split(text), [
      [1, 'events {'],
      [1, '}'],
      [2, 'http {'],
      [3, 'server {'],
      [3, 'listen 80;'],
      [3, 'location ~ "^/a{2};$" {'],
      [3, `proxy_pass http://\${host}x;`],
      [3, '}'],
      [3, '}'],
      [4, `log_format f 'a;b' "$status";`],
      [6, 'content_by_lua_block { local t = {}; ngx.say("}{") }'],
      [7, '}'],
    ]);
  });
});

describe('squid.conf', () => {
  it('stays as it is, but for what the lab owns', () => {
    const text = `http_port 10.1.1.1:3128 name=main
http_port 8080
https_port 3129 tls-cert=/etc/cert
acl half random 0.5
tcp_outgoing_address 192.0.2.10 half
tcp_outgoing_address 192.0.2.11
access_log /var/log/squid/access.log
cache_dir ufs /var/spool/squid 100 16 256
refresh_pattern . 0 20% 4320
http_access deny all`;
    assert.deepEqual(lines(RULES.squid, text), [
      'http_port 198.18.1.2:3128',
      'acl half random 0.5',
      'tcp_outgoing_address 10.50.0.1 half',
      'tcp_outgoing_address 10.50.0.2',
      'refresh_pattern . 0 20% 4320',
      'http_access deny all',
    ]);
    const changes = changesIn(read(RULES.squid, text), RULES.squid);
    assert.deepEqual(
      changes.map(({ at, change }) => [at, change]),
      [
        ['own.conf:1', "10.1.1.1:3128 is where the lab's clients find it"],
        ['own.conf:2', "left out: the lab's clients have one port"],
        ['own.conf:3', "left out: the lab's clients have one port, without TLS"],
        ['own.conf:5', "192.0.2.10 is the profile's address 1"],
        ['own.conf:6', "192.0.2.11 is the profile's address 2"],
        ['own.conf:7', 'left out: the lab reads the logs'],
        ['own.conf:8', 'left out: nothing is kept on disk in the lab'],
        [
          'added',
          "http_access allow all, before the file's own rules: clients and origins have addresses and ports of the lab's",
        ],
      ],
    );
    const whole = adopted(read(RULES.squid, text), RULES.squid, LAB, ['via off']).split('\n');
    assert.equal(whole[0], 'http_access allow all');
    assert.equal(whole.at(-2), 'via off');
    assert.ok(whole.includes('# bindstorm: it was http_port 10.1.1.1:3128 name=main'));
    assert.ok(whole.includes('access_log stdio:/lab/access.log squid'));
  });

  it('is read with what it includes, and each line keeps its place', () => {
    const base = read(RULES.squid, 'include /etc/squid/conf.d/*.conf\nhttp_port 3128', {
      '/etc/squid/conf.d/a.conf': '# first\nvia off',
      '/etc/squid/conf.d/b.conf': 'cache_peer parent 80 0',
    });
    assert.deepEqual(base.lines, [
      ['/etc/squid/conf.d/a.conf:2', 'via off'],
      ['/etc/squid/conf.d/b.conf:1', 'cache_peer parent 80 0'],
      ['own.conf:2', 'http_port 3128'],
    ]);
    assert.match(
      problemsOf(base, RULES.squid, { addresses: 1, destinations: 1, reverse: false })[0]!,
      /^\/etc\/squid\/conf.d\/b.conf:1: cache_peer parent 80 0: a further proxy/,
    );
    const missing = readBase('own.conf', RULES.squid, files({ 'own.conf': 'include other.conf' }));
    assert.deepEqual(missing, { problem: 'other.conf cannot be read (ENOENT)' });
    const circle = readBase('own.conf', RULES.squid, files({ 'own.conf': 'include own.conf' }));
    assert.match('problem' in circle ? circle.problem : '', /own.conf:1: files include each other, or more than 200/);
  });

  it('is refused by its lines, and where it has more or fewer addresses than the profile', () => {
    assert.match(
      problems(RULES.squid, 'http_port 3128 intercept')[0]!,
      /^own.conf:1: http_port 3128 intercept: the lab's clients ask it as a proxy/,
    );
    const two = 'tcp_outgoing_address 192.0.2.1 a\ntcp_outgoing_address 192.0.2.2 b';
    assert.deepEqual(problems(RULES.squid, two), [
      'own.conf has 2 outgoing addresses (192.0.2.1 at own.conf:1, 192.0.2.2 at own.conf:2), and addresses has 1: use as many',
    ]);
    assert.match(
      problems(RULES.squid, 'via off', { addresses: 3, destinations: 1, reverse: false })[0]!,
      /names no outgoing address, so that one of 3/,
    );
    assert.deepEqual(problems(RULES.squid, 'via off'), []);
  });
});

describe('haproxy.cfg', () => {
  const TEXT = `global
  log /dev/log local0
  chroot /var/lib/haproxy
  stats socket /run/haproxy/admin.sock
  user haproxy
  daemon
  maxconn 2000
defaults
  log global
  mode http
  option httplog
  option forwardfor
  timeout connect 5s
frontend web
  bind *:80
  bind :::80 v6only
  default_backend apps
backend apps
  balance leastconn
  server a1 10.1.0.1:8080 check source 192.0.2.1:40000-40999
  server a2 app2.internal:8080 source [2001:db8::1]`;

  it('stays as it is, but for what the lab owns', () => {
    const written = adopted(read(RULES.haproxy, TEXT), RULES.haproxy, LAB);
    assert.deepEqual(
      written.split('\n').filter((line) => !line.includes('#')),
      [
        'global',
        '  log stdout format raw local0',
        '  stats socket /lab/haproxy.sock',
        '  maxconn 2000',
        'defaults',
        '  log global',
        '  log-format "session %ts %ac"',
        '  mode http',
        '  option forwardfor',
        '  timeout connect 5s',
        'frontend web',
        '  bind 198.18.1.2:3128',
        '  default_backend apps',
        'backend apps',
        '  balance leastconn',
        '  server a1 198.19.0.1:9000 check source 10.50.0.1:40000-40999',
        '  server a2 198.19.0.2:9000 source 10.50.0.2',
        '',
      ],
    );
    assert.deepEqual(problems(RULES.haproxy, TEXT, { addresses: 2, destinations: 2, reverse: true }), []);
    assert.equal(listenersOf(read(RULES.haproxy, TEXT), RULES.haproxy), 1);
  });

  it('is refused where its servers are not those of the lab', () => {
    assert.deepEqual(problems(RULES.haproxy, TEXT, { addresses: 2, destinations: 1, reverse: true }), [
      'own.conf has 2 servers (10.1.0.1:8080 at own.conf:20, app2.internal:8080 at own.conf:21), and destinations has 1: write destinations: { addresses: 2 }',
    ]);
    const one = (line: string) => problems(RULES.haproxy, `listen l\n  bind :80\n  ${line}`, REVERSE)[0] ?? '';
    assert.match(
      one('server s 10.0.0.1:443 ssl verify none'),
      /own.conf:3: .*speak neither TLS nor the PROXY protocol/,
    );
    assert.match(one('server s unix@/run/app.sock'), /needs an address and a port/);
    assert.match(one('server-template s 3 app:80'), /names that nothing resolves/);
    assert.match(one('server s 10.0.0.1:80 source 0.0.0.0 usesrc clientip'), /usesrc and interface/);
    assert.match(
      problems(RULES.haproxy, 'listen l\n  bind :443 ssl crt /a\n  server s 10.0.0.1:80', REVERSE)[0]!,
      /leave this listener out/,
    );
  });
});

describe('nginx.conf', () => {
  const TEXT = `user www-data;
worker_processes 2;
pid /run/nginx.pid;
events { worker_connections 768; }
http {
  include mime.types;
  access_log /var/log/nginx/access.log;
  proxy_cache_path /var/cache/nginx levels=1:2 keys_zone=c:10m;
  split_clients "$remote_port" $from { 50% 192.0.2.1; * 192.0.2.2; }
  upstream apps { server 10.1.0.1:8080; server 10.1.0.2; keepalive 32; }
  server {
    listen 80 default_server;
    listen [::]:80 default_server;
    location / { proxy_bind $from; proxy_pass http://apps; }
    location /one { proxy_pass http://10.1.0.1:8080/x; }
  }
}`;

  it('stays as it is, but for what the lab owns', () => {
    const written = adopted(read(RULES.nginx, TEXT, { 'mime.types': 'types { text/html html; }' }), RULES.nginx, LAB);
    const own = written.split('\n').filter((line) => !line.includes('#') && !line.includes('_temp_path'));
    assert.deepEqual(own, [
      'daemon off;',
      'pid /lab/nginx.pid;',
      'error_log /lab/error.log warn;',
      'worker_processes 2;',
      'events {',
      '  worker_connections 768;',
      '}',
      'http {',
      '  log_format bindstorm_result "$status";',
      '  access_log /lab/access.log bindstorm_result;',
      '  types {',
      '    text/html html;',
      '  }',
      '  proxy_cache_path /lab/-var-cache-nginx levels=1:2 keys_zone=c:10m;',
      '  split_clients "$remote_port" $from {',
      '    50% 10.50.0.1;',
      '    * 10.50.0.2;',
      '  }',
      '  upstream apps {',
      '    server 198.19.0.1:9000;',
      '    server 198.19.0.2:9000;',
      '    keepalive 32;',
      '  }',
      '  server {',
      '    listen 198.18.1.2:3128 default_server;',
      '    location / {',
      '      proxy_bind $from;',
      '      proxy_pass http://apps;',
      '    }',
      '    location /one {',
      '      proxy_pass http://198.19.0.1:9000/x;',
      '    }',
      '  }',
      '}',
      '',
    ]);
    const base = read(RULES.nginx, TEXT, { 'mime.types': '' });
    assert.deepEqual(problemsOf(base, RULES.nginx, { addresses: 2, destinations: 2, reverse: true }), []);
  });

  it('is refused by its lines', () => {
    const one = (line: string) =>
      problems(RULES.nginx, `events {}\nhttp { server { listen 80; location / {\n${line}\n} } }`, REVERSE)[0] ?? '';
    assert.match(one('proxy_pass https://10.0.0.1;'), /own.conf:3: .*speak plain HTTP/);
    assert.match(one('proxy_pass http://$backend;'), /known only when it runs/);
    assert.match(
      one('proxy_bind $remote_addr transparent; proxy_pass http://10.0.0.1;'),
      /transparent takes addresses of clients/,
    );
    assert.match(one('root /srv;'), /own.conf has 0 servers, and destinations has 1/);
    assert.match(
      problems(
        RULES.nginx,
        'http { server { listen 443 ssl; location / { proxy_pass http://10.0.0.1; } } }',
        REVERSE,
      )[0]!,
      /plain HTTP\/1.1 or TCP/,
    );
    assert.match(
      problems(
        RULES.nginx,
        'http { server { listen 80; listen 81; location / { proxy_pass http://10.0.0.1; } } }',
        REVERSE,
      )[0]!,
      /own.conf listens in 2 places \(80 at own.conf:1, 81 at own.conf:1\)/,
    );
  });
});

describe('tinyproxy.conf', () => {
  it('stays as it is, but for what the lab owns', () => {
    const text =
      'User tinyproxy\nPort 8888\nListen 10.0.0.1\nBind 192.0.2.1\nbind 192.0.2.2\nAllow 127.0.0.1\nConnectPort 443\nMaxClients 50\nViaProxyName "x"';
    assert.deepEqual(lines(RULES.tinyproxy, text), [
      'Bind 10.50.0.1',
      'Bind 10.50.0.2',
      'MaxClients 50',
      'ViaProxyName "x"',
    ]);
    assert.match(
      problems(RULES.tinyproxy, 'Upstream http 10.0.0.1:80')[0]!,
      /own.conf:1: .*a further proxy is not in the lab/,
    );
  });
});
