// needs: curl, wget, python3-requests, ruby, libwww-perl, php-cli
/**
 * HTTP clients and the ports that they take, against the answers that decide it: as measured by hand, one client at a time, with another
 * origin (Linux 6.18, Debian 12).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OriginAnswer } from '../../src/subjects/internet.js';
import { CLIENTS } from '../support/clients.js';
import { onInternet } from '../support/internet.js';

const ANSWERS = {
  usual: {},
  500: { status: 500, body: 10_000 },
  404: { status: 404, body: 3 },
  '200 kB': { body: 200_000 },
  redirect: { redirect: true },
  'Keep-Alive: timeout=1': { keepAliveHint: 1 },
  'Keep-Alive: timeout=2': { keepAliveHint: 2 },
  chunked: { chunked: true },
  'Connection: close': { close: true },
  'HTTP/1.0': { http10: true },
} satisfies Record<string, Partial<OriginAnswer>>;

/** Of 100 requests, one after the other. */
interface Row {
  readonly client: keyof typeof CLIENTS;
  /** Answer → connections, and who closed them first: those that are open are not named. */
  readonly ports: Partial<Record<keyof typeof ANSWERS, number | `${number} ${'client' | 'server' | 'reset'}`>>;
}

const ROWS: readonly Row[] = [
  {
    client: 'node http.get',
    ports: {
      usual: 1,
      500: 1,
      404: 1,
      redirect: 1,
      'Keep-Alive: timeout=1': '100 client',
      'Keep-Alive: timeout=2': 1,
      chunked: 1,
      'Connection: close': '100 server',
      'HTTP/1.0': '100 server',
    },
  },
  { client: 'node http.get, Agent keepAlive', ports: { usual: 1, 'Keep-Alive: timeout=1': '100 client' } },
  { client: 'node http.get, agent: false', ports: { usual: '100 server', 500: '100 server' } },
  { client: 'node http.get, body not read', ports: { '200 kB': 100, 500: 100 } },
  {
    client: 'node fetch',
    ports: {
      usual: 2,
      500: 2,
      404: 2,
      redirect: 2,
      'Keep-Alive: timeout=1': '100 client',
      'Keep-Alive: timeout=2': '100 client',
      chunked: 2,
      'Connection: close': '100 server',
      'HTTP/1.0': '100 server',
    },
  },
  { client: 'node fetch, body not read', ports: { 500: 2, '200 kB': 100 } },
  { client: 'node fetch HEAD', ports: { usual: '100 server' } },
  { client: 'node http HEAD', ports: { usual: 1 } },
  {
    client: 'python requests.get',
    ports: {
      usual: '100 client',
      500: '100 client',
      404: '100 client',
      redirect: '100 client',
      'Keep-Alive: timeout=1': '100 client',
      'Connection: close': '100 server',
    },
  },
  {
    client: 'python requests.Session',
    ports: { usual: 1, 500: 1, 404: 1, redirect: 1, 'Keep-Alive: timeout=1': 1, 'HTTP/1.0': '100 server' },
  },
  { client: 'python requests.Session HEAD', ports: { usual: 1 } },
  { client: 'python requests.Session, body not read', ports: { 500: '100 reset', '200 kB': '100 reset' } },
  { client: 'python urllib.request', ports: { usual: '100 server', 404: '100 server', redirect: '200 server' } },
  {
    client: 'ruby Net::HTTP.get',
    ports: {
      usual: '100 client',
      500: '100 client',
      404: '100 client',
      redirect: '100 client',
      'Keep-Alive: timeout=1': '100 client',
      'Connection: close': '100 server',
    },
  },
  {
    client: 'ruby Net::HTTP.start',
    ports: { usual: 1, 500: 1, 404: 1, redirect: 1, 'Keep-Alive: timeout=1': 1, chunked: 1 },
  },
  {
    client: 'perl LWP',
    ports: {
      usual: '100 server',
      500: '100 server',
      404: '100 server',
      'Keep-Alive: timeout=1': '100 server',
      redirect: '200 server',
    },
  },
  { client: 'perl HTTP::Tiny', ports: { usual: 1, 500: 1, 404: 1, redirect: 1, 'Keep-Alive: timeout=1': 1 } },
  { client: 'perl LWP keep_alive', ports: { usual: 1, 500: 1, 404: 1, redirect: 1, 'Keep-Alive: timeout=1': 1 } },
  { client: 'php file_get_contents', ports: { usual: '100 server', 500: '100 server', redirect: '200 server' } },
  {
    client: 'curl, one command',
    ports: {
      usual: '1 client',
      500: '1 client',
      404: '1 client',
      redirect: '1 client',
      'Keep-Alive: timeout=1': '1 client',
    },
  },
  { client: 'curl -I, one command', ports: { usual: '1 client' } },
  { client: 'wget --spider, one command', ports: { usual: '1 client' } },
  { client: 'curl --fail, one command', ports: { 500: '100 client', 404: '100 client' } },
  { client: 'curl, a process each', ports: { usual: '100 client' } },
  {
    client: 'wget, one command',
    ports: {
      usual: '1 client',
      redirect: '1 client',
      'Keep-Alive: timeout=1': '1 client',
      500: '100 reset',
      404: '1 client',
    },
  },
];

const REQUESTS = 100;

describe('ports of 100 requests, one after the other', { concurrency: 3 }, () => {
  for (const { client, ports } of ROWS) {
    for (const [answer, expected] of Object.entries(ports)) {
      it(`${client}; ${answer}: ${expected}`, async () => {
        const run = await onInternet(CLIENTS[client]({ url: 'http://api.example/', requests: REQUESTS }), {
          answer: ANSWERS[answer as keyof typeof ANSWERS],
          until: 'done',
        });
        const { client: byClient, server, reset } = run.stats.seen!.closedFirst;
        const closed = Object.entries({ client: byClient, server, reset }).filter(([, count]) => count > 0);
        const found =
          closed.length === 0 ? run.stats.accepted : closed.map(([who, count]) => `${count} ${who}`).join(', ');
        assert.equal(found, expected, run.stderr);
        assert.equal(run.stats.accepted, Number.parseInt(String(expected), 10));
      });
    }
  }
});

/** Twenty at once, five times: a pool that is smaller than the fan-out looks well in a loop. */
const WAVES: Readonly<Partial<Record<keyof typeof CLIENTS, number>>> = {
  'node http.get': 20,
  'node http.get, Agent keepAlive': 20,
  'python requests.get': 100,
  // It keeps ten: 20, and 10 more for each further wave.
  'python requests.Session': 60,
};

describe('ports of 100 requests in waves of 20', () => {
  for (const [client, expected] of Object.entries(WAVES)) {
    it(`${client}: ${expected}`, async () => {
      const work = { url: 'http://api.example/', requests: 100, wave: 20 };
      // Each answer takes so long that all of a wave are on their way.
      const answer = { delayMs: 400 };
      const run = await onInternet(CLIENTS[client as keyof typeof CLIENTS](work), { answer, until: 'done' });
      assert.equal(run.stats.accepted, expected, run.stderr);
      assert.equal(run.stats.seen?.requests, 100);
    });
  }
});
