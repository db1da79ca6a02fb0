/**
 * From a measured experiment to the file that is applied.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Results } from '../../src/results/schema.js';
import { runCli, scratchFolder } from '../support/cli.js';

/** A model of a machine: 20 ports stand for 28,232. */
const PROFILE = `name: model
addresses: { cidr: 10.50.0.0/24, count: 2 }
load:
  strategy: bind
  arrival: { shape: constant, rate: 1000/s, duration: 100ms }
  lagBudget: 10s
sysctls: { net.ipv4.ip_local_port_range: 40000 40019 }
variants:
  - { name: wider, sysctls: { net.ipv4.ip_local_port_range: 40000 40999 } }
  - { name: no-port, load: { strategy: bind-no-port }, destinations: { ports: 4 } }
guardrails: []
repeat: 2
warmup: 0
`;

test('the winner’s sysctls at the scale of a machine, with the numbers of the run, and the way back', async (t) => {
  const cwd = scratchFolder(t);
  writeFileSync(join(cwd, 'model.yaml'), PROFILE);
  const end = await runCli(['run', 'model.yaml', '--quiet', '--out', 'out'], { cwd });
  assert.equal(end.code, 0, end.stderr);
  const folder = join('out', readdirSync(join(cwd, 'out'))[0]!);
  const name = 'zz-bindstorm-wider.conf';
  assert.ok(end.stdout.endsWith(`Results: ${folder}\nApply:   ${folder}/apply/${name}\n`), end.stdout);
  const read = (file: string) => readFileSync(join(cwd, folder, file), 'utf8');
  const settings = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const dropIn = read(`apply/${name}`);
  assert.deepEqual(settings(dropIn), ['net.ipv4.ip_local_port_range = 1024 65535']);
  assert.match(
    dropIn,
    /^# Scale {6}measured with .* = 40000 40999: in the lab 20 ports stood for 28,232, and 1,000, /m,
  );
  const rollback = read(`apply/${name}.rollback`);
  assert.doesNotMatch(rollback, /400\d\d/, 'no value of the lab');
  const { environment } = JSON.parse(read('results.json')) as Results;
  assert.match(dropIn, /^# Measured {3}.*: 60\.0 % → 0 %, −60\.0 points \(the same in every run\), 2 pairs of runs$/m);
  assert.ok(dropIn.includes(`Linux ${environment.kernel}, ${environment.machine}; ${environment.lab};`), dropIn);
  assert.match(dropIn, /^# Repeat {5}bindstorm run model\.yaml$/m);
  for (const file of ['report.md', 'report.html'])
    assert.ok(read(file).includes('net.ipv4.ip_local_port_range = 1024 65535'), file);
  for (const file of ['report.md', 'summary.md']) assert.ok(read(file).includes(`\`apply/${name}\``), file);
});

test('a rate that the baseline holds already: said first, and nothing to apply', async (t) => {
  const cwd = scratchFolder(t);
  writeFileSync(join(cwd, 'model.yaml'), PROFILE);
  const end = await runCli(['run', 'model.yaml', '--rate', '300/s', '--quiet', '--out', 'out'], { cwd });
  assert.equal(end.code, 0, end.stderr);
  const folder = join(cwd, 'out', readdirSync(join(cwd, 'out'))[0]!);
  assert.ok(!readdirSync(folder).includes('apply'));
  assert.doesNotMatch(end.stdout, /^Apply:/m);
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  const { summary } = JSON.parse(read('results.json')) as Results;
  // Two addresses of 28,232 ports are some 900 connections a second; the lab asks 1000 of 20 ports.
  const said =
    'At 300/s this machine does not run out of ports, by the model: the lab’s failures are those of its own load.';
  assert.ok(summary.startsWith(said), summary);
  for (const [file, text] of Object.entries({ stdout: end.stdout, md: read('report.md'), html: read('report.html') })) {
    assert.ok(text.replaceAll(/\s+/g, ' ').includes(said), file);
    assert.ok(!text.includes('net.ipv4.ip_local_port_range = 1024 65535'), file);
  }
  for (const file of ['report.md', 'summary.md'])
    assert.ok(read(file).includes('No drop-in for sysctl.d: at 300/s this machine does not run out of ports'), file);
});
