/**
 * A program of the user's that the load asks, in each way that it can be spoken to, with exact counts: what has no port fails, in the program's
 * own words, and its refused calls are counted.
 */
// needs: strace, tinyproxy-bin, microsocks, socat
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Arm, LoadPlan } from '../../src/plan/plan.js';
import type { Outcomes } from '../../src/results/schema.js';
import { type ProgramSettings, program } from '../../src/subjects/program/program.js';
import { labArm, measure } from '../support/lab.js';

const P = 20;
const MORE = 15;
const PORT = 8080;

/** Connections that are held, to D destinations in turn. */
function asked(
  settings: Partial<ProgramSettings>,
  load: Partial<LoadPlan>,
  destinations: number,
  attempts: number,
): Arm {
  return {
    ...labArm({
      destinations: { kind: 'lab', addresses: 1, ports: destinations },
      sysctls: { 'net.ipv4.ip_local_port_range': `40000 ${40_000 + P - 1}` },
      load: {
        holdMs: null,
        timeoutMs: 30_000,
        lagBudgetMs: 60_000,
        arrival: { shape: 'fill', attempts, failures: null, inFlight: 4, waves: 1, pauseMs: 0 },
        ...load,
      },
    }),
    proxy: { ...program.defaults, ready: { listen: PORT }, ...settings },
  };
}

/** A forward proxy in Node: CONNECT and GET http://…, a connection to the origin for each; 502 and the errno where there is none. */
const FORWARD = `
const http = require('node:http'), net = require('node:net');
const localAddress = process.argv[1];
http.createServer((request, answer) => {
  const agent = new http.Agent({ keepAlive: true });
  const end = (status, headers) => { agent.destroy(); answer.writeHead(status, headers).end(); };
  http.get(request.url, { agent, localAddress }, (got) => got.resume().once('close', () => setImmediate(end, 200, { 'Content-Length': 0 })))
    .once('error', (error) => end(502, { 'X-Why': error.code }));
}).on('connect', (request, client) => {
  const [host, port] = request.url.split(':');
  const origin = net.connect({ host, port, localAddress }, () => { client.write('HTTP/1.1 200 OK\\r\\n\\r\\n'); client.pipe(origin).pipe(client); });
  origin.once('error', () => client.end('HTTP/1.1 502 Bad Gateway\\r\\nContent-Length: 0\\r\\n\\r\\n'));
  client.on('error', () => origin.destroy());
}).listen(${PORT});`;

const TINYPROXY = {
  command: ['tinyproxy', '-d', '-c', '{dir}/tinyproxy.conf'],
  files: { 'tinyproxy.conf': 'Port {port}\nMaxClients 200\nTimeout 600\nLogLevel Warning\n' },
  reverse: false,
};

interface Case {
  readonly settings: Partial<ProgramSettings>;
  readonly load: Partial<LoadPlan>;
  readonly destinations: number;
  /** Connections that find a port; those after them fail as it says. */
  readonly ok: number;
  readonly failure: string | RegExp;
  readonly refused: string;
}

const CASES: Readonly<Record<string, Case>> = {
  'GET http://…, each connection closed by the program first': {
    settings: { command: [process.execPath, '-e', FORWARD], reverse: false },
    load: { protocol: 'get', holdMs: 0 },
    destinations: 1,
    ok: P,
    failure: 'http:502',
    refused: 'connect EADDRNOTAVAIL',
  },
  'CONNECT, by a program that does not bind: P for each destination': {
    settings: { command: [process.execPath, '-e', FORWARD], reverse: false },
    load: { protocol: 'connect' },
    destinations: 2,
    ok: 2 * P,
    failure: 'http:502',
    refused: 'connect EADDRNOTAVAIL',
  },
  'CONNECT, by one that binds: P, whatever the destinations': {
    settings: { command: [process.execPath, '-e', FORWARD, '{source}'], reverse: false },
    load: { protocol: 'connect' },
    destinations: 2,
    ok: P,
    failure: 'http:502',
    refused: 'bind EADDRINUSE',
  },
  'CONNECT, through tinyproxy and a configuration in the profile': {
    settings: TINYPROXY,
    load: { protocol: 'connect' },
    destinations: 1,
    ok: P,
    failure: 'http:500',
    refused: 'connect EADDRNOTAVAIL',
  },
  'SOCKS5, through microsocks': {
    settings: { command: ['microsocks', '-p', '{port}', '-b', '{source}'], reverse: false },
    load: { protocol: 'socks5' },
    destinations: 2,
    ok: P,
    failure: 'socks:general-failure',
    refused: 'bind EADDRINUSE',
  },
  'plain TCP, through socat': {
    settings: { command: ['socat', 'TCP-LISTEN:{port},fork,reuseaddr', 'TCP:{origin}'] },
    load: { protocol: 'tcp', exchange: { request: 1, response: 1 } },
    destinations: 1,
    ok: P,
    // As its process ends before or after the byte of the client has come.
    failure: /^exchange:(EOF|ECONNRESET)$/,
    refused: 'connect EADDRNOTAVAIL',
  },
};

/** Outcomes with the name `failed` for those that are expected. */
function named(outcomes: Outcomes, failure: string | RegExp): Outcomes {
  const result: Record<string, number> = {};
  for (const [name, count] of Object.entries(outcomes)) {
    const key = name === failure || (failure instanceof RegExp && failure.test(name)) ? 'failed' : name;
    result[key] = (result[key] ?? 0) + count;
  }
  return result;
}

describe('a program that the load asks', { concurrency: 2 }, () => {
  for (const [title, { settings, load, destinations, ok, failure, refused }] of Object.entries(CASES))
    it(title, async () => {
      const run = await measure(asked(settings, load, destinations, ok + MORE), { observe: 'strace' });
      assert.deepEqual(named(run.outcomes, failure), { ok, failed: MORE });
      assert.deepEqual(run.problems, []);
      assert.equal(run.origin?.accepted, ok);
      const { failures } = run.proxy!.syscalls!;
      assert.deepEqual([...new Set(failures.map(({ call, errno }) => `${call} ${errno}`))], [refused]);
      // Each attempt that failed is one refused call: none of these programs tries again.
      assert.equal(
        failures.reduce((sum, { count }) => sum + count, 0),
        MORE,
      );
    });
});
