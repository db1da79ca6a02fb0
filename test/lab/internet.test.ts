// needs: curl
/**
 * The lab's internet as unmodified programs see it: any name, any address, any port; and nothing else.
 */
import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { nodeProgram, onInternet } from '../support/internet.js';
import type { DriverOutput } from '../support/internet-driver.js';
import { mayHaveNamespaces, ordinaryUser } from '../support/ordinary-user.js';

const TALKATIVE = nodeProgram(`
import { lookup, resolve4, resolve6, resolveMx, Resolver } from 'node:dns/promises';
import http2 from 'node:http2';
import net from 'node:net';

const tell = async (name, work) => {
  try {
    console.log(name, await work());
  } catch (error) {
    console.log(name, error.code ?? error.cause?.code ?? error.message);
  }
};
const http2Get = (url) =>
  new Promise((resolve, reject) => {
    const session = http2.connect(url);
    session.on('error', reject);
    const stream = session.request({ ':path': '/' });
    let body = '';
    stream.on('response', (head) => stream.setEncoding('utf8').on('data', (text) => { body += text; }).on('end', () => {
      const { alpnProtocol } = session;
      session.close(() => resolve([head[':status'], body, alpnProtocol].join(' ')));
    }));
  });
const hold = (port, host) =>
  new Promise((resolve, reject) => {
    const socket = net.connect(port, host, () => socket.write('HELO\\r\\n'));
    socket.on('error', reject);
    socket.on('data', () => reject(new Error('it said something')));
    setTimeout(() => socket.end(() => resolve('held')), 200);
  });
const far = new Resolver({ timeout: 2000, tries: 1 });
far.setServers(['203.0.113.53', '[2001:db8::53]:53']);

await tell('lookup', async () => (await lookup('api.example.com')).family);
await tell('resolve4', () => resolve4('api.example.com').then(([address]) => address));
await tell('resolve6', () => resolve6('api.example.com').then(([address]) => address));
await tell('again', () => resolve4('API.example.com').then(([address]) => address));
await tell('other', () => resolve4('www.example.org').then(([address]) => address));
await tell('mx', () => resolveMx('api.example.com').then((found) => found.length));
await tell('far', () => far.resolve4('api.example.com').then(([address]) => address));
await tell('http', () => fetch('http://api.example.com/users').then((answer) => answer.text()));
await tell('https', () => fetch('https://api.example.com/users').then((answer) => answer.text()));
await tell('literal', () => fetch('https://[2001:db8::7]:8443/').then((answer) => answer.text()));
await tell('h2', () => http2Get('https://api.example.com'));
await tell('h2c', () => http2Get('http://203.0.113.9:50051'));
await tell('machine', () => fetch('http://203.0.113.9/').then((answer) => answer.text()));
await tell('tcp4', () => hold(25, '203.0.113.9'));
await tell('tcp6', () => hold(65535, '2001:db8::9'));
process.exit();
`);

const HEARD = {
  lookup: '6',
  resolve4: '198.19.128.1',
  resolve6: '2001:2:0:1::1',
  again: '198.19.128.1',
  other: '198.19.128.2',
  mx: 'ENODATA',
  far: '198.19.128.1',
  http: 'xxxxxx',
  https: 'xxxxxx',
  literal: 'xxxxxx',
  h2: '200 xxxxxx h2',
  h2c: '200 xxxxxx h2c',
  machine: 'xxxxxx',
  tcp4: 'held',
  tcp6: 'held',
};

function heard(stdout: string): Record<string, string> {
  const lines = stdout.trim().split('\n');
  return Object.fromEntries(lines.map((line) => [line.split(' ')[0]!, line.slice(line.indexOf(' ') + 1)]));
}

const OUTSIDE = '203.0.113.9';

/** The machine around listens on 203.0.113.9:80. It got no connection and nothing of its network moved, until it connected to itself. */
function assertNothingLeft({ machine }: DriverOutput): void {
  assert.deepEqual([machine?.moved, machine?.visitors], [{}, 0]);
  assert.equal(machine?.own['Tcp.ActiveOpens'], 1);
}

describe('a program that was not changed', () => {
  it('resolves names, speaks HTTP/1.1, HTTP/2 and TLS, IPv6 first, to any address and port; and reaches nothing else', async () => {
    const run = await onInternet(TALKATIVE, { outside: OUTSIDE, families: 'both' });
    assert.deepEqual(heard(run.stdout), HEARD, run.stderr);
    assert.deepEqual(run.stats.seen?.requests, 6);
    assert.deepEqual(run.stats.accepted, 8);
    const to = Object.fromEntries(run.stats.seen!.destinations!.map((each) => [each.to, each.requests]));
    assert.deepEqual(to, {
      'api.example.com:80': 1,
      'api.example.com:443': 2,
      '[2001:db8::7]:8443': 1,
      '203.0.113.9:50051': 1,
      '203.0.113.9:80': 1,
      '203.0.113.9:25': 0,
      '[2001:db8::9]:65535': 0,
    });
    assertNothingLeft(run);
    assert.deepEqual(run.links.toSorted(), ['bs-client', 'lo']);
  });

  it('as an ordinary user', async (t) => {
    const user = await ordinaryUser(t);
    if (typeof user === 'string') return t.skip(user);
    if (!mayHaveNamespaces(user)) return t.skip('user namespaces are forbidden here');
    const run = await onInternet(TALKATIVE, { ...user, root: false, outside: OUTSIDE, families: 'both' });
    assert.deepEqual(heard(run.stdout), HEARD, run.stderr);
    assertNothingLeft(run);
  });
});

test('a table of names: they have these addresses, and all others are absent', async () => {
  const names = { 'db.internal': ['203.0.113.20', '203.0.113.21'] };
  const run = await onInternet(
    nodeProgram(`
import { lookup } from 'node:dns/promises';
const all = await lookup('db.internal', { all: true });
console.log('known', all.map(({ address }) => address).join());
console.log('unknown', await lookup('www.example.com').catch((error) => error.code));
`),
    { names },
  );
  assert.deepEqual(heard(run.stdout), { known: '203.0.113.20,203.0.113.21', unknown: 'ENOTFOUND' }, run.stderr);
});

test('an answer of many addresses is cut over UDP, and whole over TCP', async () => {
  const addresses = Array.from({ length: 100 }, (_, i) => `203.0.113.${i + 1}`);
  const run = await onInternet(
    nodeProgram(`
import { resolve4 } from 'node:dns/promises';
console.log('all', (await resolve4('many.example')).length);
`),
    { names: { 'many.example': addresses } },
  );
  assert.deepEqual(heard(run.stdout), { all: '100' }, run.stderr);
});

test('a proxy of the machine is forgotten, and one that the program names is a tunnel into the same internet', async () => {
  const run = await onInternet(
    [
      'sh',
      '-c',
      'curl -sS https://a.example/ && echo && curl -sS --proxy http://proxy.example:3128 https://b.example/',
    ],
    { env: { https_proxy: 'http://127.0.0.1:1', HTTPS_PROXY: 'http://127.0.0.1:1' } },
  );
  assert.equal(run.stdout, 'xxxxxx\nxxxxxx', run.stderr);
  assert.deepEqual(
    run.stats.seen!.destinations!.map(({ to, requests }) => [to, requests]),
    [
      ['a.example:443', 1],
      ['proxy.example:3128', 1],
    ],
  );
});

test('names have addresses of the family of the profile, unless it asks for both', async () => {
  const lookUp = nodeProgram(`
import { lookup } from 'node:dns/promises';
console.log('all', (await lookup('api.example', { all: true })).map(({ address }) => address).join(' '));
`);
  const four = await onInternet(lookUp);
  assert.deepEqual(heard(four.stdout), { all: '198.19.128.1' }, four.stderr);
  const six = await onInternet(lookUp, { addresses: ['fd00:50::1'] });
  assert.deepEqual(heard(six.stdout), { all: '2001:2:0:1::1' }, six.stderr);
});
