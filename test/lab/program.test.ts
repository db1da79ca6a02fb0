/**
 * Any program as the subject: one that drives itself, and one that is driven, with exact counts.
 */
// needs: strace
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Arm, LoadPlan } from '../../src/plan/plan.js';
import { type ProgramSettings, program } from '../../src/subjects/program/program.js';
import { until } from '../support/cli.js';
import { type LabArm, labArm, measure } from '../support/lab.js';
import { newMark } from '../support/processes.js';

const PORTS = 20;

/** A program that drives itself: Node with a script. */
function own(script: string, settings: Partial<ProgramSettings> = {}, arm: Partial<LabArm> = {}): Arm {
  const load: Partial<LoadPlan> & Pick<LoadPlan, 'arrival'> = {
    protocol: 'get',
    arrival: { shape: 'own', attempts: null },
  };
  return {
    ...labArm({
      sysctls: { 'net.ipv4.ip_local_port_range': `40000 ${40_000 + PORTS - 1}` },
      load,
      ...arm,
    }),
    proxy: { ...program.defaults, command: [process.execPath, '-e', script, '{origin}', '{source}'], ...settings },
  };
}

/** Agents of Node: kept and shared; a new one for each request, which closes; none, which tells the other side to close. */
const AGENT = {
  shared: '(shared ??= new http.Agent({ keepAlive: true }))',
  each: 'new http.Agent({ keepAlive: true })',
  none: 'false',
} as const;

/** One GET after another, where the other side closes only once it has: what was read to its end Node closes itself; prints each result. @param more options of http.get */
const gets = (count: number, agent: keyof typeof AGENT, more = '') => `
  const http = require('http');
  const [host, port] = process.argv[1].split(':');
  let shared;
  const get = () => new Promise((done) => {
    const agent = ${AGENT[agent]};
    const over = (what) => { if (agent && agent !== shared) agent.destroy(); done(what); };
    http.get({ host, port, agent${more} }, (res) => { agent ? res.resume() : res.socket.once('end', () => res.resume()); (agent ? res : res.socket).once('close', () => setImmediate(over, 'ok')); }).once('error', (e) => over(e.code));
  });
  (async () => { for (let i = 0; i < ${count}; i++) console.log(await get()); })();`;

describe('a program that drives itself', () => {
  it('a port for each request', async () => {
    const run = await measure(own(gets(15, 'each')));
    assert.deepEqual([run.outcomes, run.problems, run.warnings], [{ ok: 15 }, [], []]);
    assert.deepEqual([run.origin?.accepted, run.ports.finalStates], [15, { TIME_WAIT: 15 }]);
    assert.deepEqual(run.origin?.seen?.closedFirst, { client: 15, server: 0, reset: 0, open: 0 });
    const { syscalls, ended, printed, tail, cpu, memory } = run.proxy!;
    assert.deepEqual(syscalls?.ways, [{ strategy: 'connect', to: '198.19.0.1:9000', connections: 15 }]);
    assert.deepEqual([ended, printed, tail.length, syscalls?.connections?.open], ['ended with code 0', 45, 15, 0]);
    assert.ok(cpu.user > 0.01 && memory.peak > 20_000_000, JSON.stringify({ cpu, memory }));
  });

  it('one port for all requests, still open when it ends', async () => {
    const { outcomes, origin, proxy } = await measure(own(`${gets(15, 'shared')} setTimeout(process.exit, 3000)`));
    assert.deepEqual([outcomes, origin?.accepted, proxy?.syscalls?.connections?.open], [{ ok: 15 }, 1, 1]);
  });

  it('a port for each request that the other side has in TIME_WAIT, since it closes first', async () => {
    const run = await measure(own(gets(30, 'none')));
    assert.deepEqual([run.outcomes, run.origin?.accepted], [{ ok: 30 }, 30]);
    assert.deepEqual(run.origin?.seen?.closedFirst, { client: 0, server: 30, reset: 0, open: 0 });
  });

  it('runs out of ports in connect(), and says what it was told', async () => {
    const run = await measure(own(gets(30, 'each')));
    assert.deepEqual(run.outcomes, { ok: PORTS, 'connect:EADDRNOTAVAIL': 10 });
    assert.deepEqual(run.capacity.okBeforeFirstFailure, PORTS);
    assert.equal(run.proxy?.tail.filter((line) => line === 'EADDRNOTAVAIL').length, 10);
  });

  it('runs out of ports in bind(), with a local address', async () => {
    const run = await measure(own(gets(30, 'each', ', localAddress: process.argv[2]')));
    assert.deepEqual(run.outcomes, { ok: PORTS, 'bind:EADDRINUSE': 10 });
    assert.deepEqual(
      run.proxy?.syscalls?.ways?.map(({ strategy, connections }) => [strategy, connections]),
      [['bind-reuseaddr', PORTS]],
    );
  });

  it('fails', async () => {
    const { proxy, outcomes } = await measure(own('console.error("no"); process.exit(3)'));
    assert.deepEqual([outcomes, proxy?.ended, proxy?.tail], [{ ok: 0 }, 'ended with code 3', ['no']]);
  });

  it('never ends, and is ended after its time, though it does not want to', async () => {
    const script = `process.on('SIGTERM', () => {}); ${gets(1e9, 'shared')}`;
    const { outcomes, loadMs, problems } = await measure(
      own(script, {}, { load: { protocol: 'get', arrival: { shape: 'own', attempts: null, durationMs: 500 } } }),
    );
    assert.ok(outcomes.ok! > 10 && loadMs < 10_000, JSON.stringify({ outcomes, loadMs }));
    assert.deepEqual(problems, []);
  });
});

describe('a command that behaves badly', () => {
  it('prints without an end of line: its bytes are counted, and its memory is not kept', async () => {
    const { proxy } = await measure(own('', { command: ['head', '-c', '100000000', '/dev/zero'] }));
    assert.deepEqual([proxy?.printed, proxy?.ended], [100_000_000, 'ended with code 0']);
    assert.ok(proxy!.tail.join('').length < 20_000);
  });

  it('leaves others in the background: nothing of them outlives the run', async () => {
    const mark = newMark();
    Object.assign(process.env, mark.env);
    const { proxy } = await measure(own('', { command: ['sh', '-c', 'setsid sleep 1000 & echo left'] }));
    assert.deepEqual(proxy?.tail, ['left']);
    await until('nothing is left', () => mark.processes().length === 0);
  });

  it('can get no more rights, and cannot change files of this machine nor sysctls that all namespaces share', async () => {
    const script =
      'setpriv --dump | grep no_new_privs; echo 1 > /proc/sys/kernel/sysrq || echo no; echo 1 > /usr/x || echo no';
    const { proxy } = await measure(own('', { command: ['sh', '-c', script] }));
    assert.deepEqual(
      proxy?.tail.filter((line) => line === 'no' || line.startsWith('no_new_privs')),
      ['no_new_privs: 1', 'no', 'no'],
    );
  });
});

/** A server that asks the origin for each request, on a connection of its own, and answers 502 where it cannot. */
const SERVER = `
  const http = require('http');
  const [host, port] = process.argv[1].split(':');
  http.createServer((_, answer) => {
    const agent = new http.Agent({ keepAlive: true });
    const end = (status) => { agent.destroy(); answer.writeHead(status, { 'Content-Length': 0 }).end(); };
    http.get({ host, port, agent }, (res) => { res.resume(); res.once('close', () => setImmediate(end, 200)); }).once('error', () => end(502));
  }).listen(8080);`;

/** The same for a program that the load asks. */
function served(command: string[], attempts: number): Arm {
  const arrival = { shape: 'fill', attempts, failures: null, inFlight: 2, waves: 1, pauseMs: 0 } as const;
  return own('', { command, ready: { listen: 8080 } }, { load: { protocol: 'get', timeoutMs: 30_000, arrival } });
}

describe('a program that is asked', () => {
  it('has a port for each request until none is left, which it says in its own words', async () => {
    const arm = served([process.execPath, '-e', SERVER, '{origin}'], PORTS + 15);
    const run = await measure(arm, { observe: 'strace' });
    assert.deepEqual(run.outcomes, { ok: PORTS, 'http:502': 15 });
    assert.equal(run.origin?.accepted, PORTS);
    const { ways, failures } = run.proxy!.syscalls!;
    assert.deepEqual(ways, [{ strategy: 'connect', to: '198.19.0.1:9000', connections: PORTS }]);
    assert.equal(failures[0]?.count, 15);
    assert.equal(failures[0]?.errno, 'EADDRNOTAVAIL');
  });

  for (const [title, command, message] of [
    ['dies', ['sh', '-c', 'echo broken >&2; exit 3'], /ended with code 3 before it listened: broken/],
    [
      'goes into the background',
      ['sh', '-c', 'sleep 100 >/dev/null 2>&1 &'],
      /ended with code 0 .* to stay in the foreground/,
    ],
    [
      'listens elsewhere',
      [process.execPath, '-e', "require('net').createServer().listen(8081, '127.0.0.1')"],
      /did not listen on 198\.18\.1\.2:8080 within 15 s, but on 127\.0\.0\.1:8081/,
    ],
  ] as const)
    it(`is refused where it ${title} before it listens`, async () => {
      await assert.rejects(measure(served([...command], 1)), message);
    });
});
