import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Apply, applyOf } from '../../src/report/apply.js';
import { warnings } from '../../src/report/rows/notices.js';
import type { Results } from '../../src/results/schema.js';
import { HOSTILE } from '../support/hostile.js';
import { quickstartResults, realSizeResults } from '../support/results.js';

type Files = Extract<Apply, { kind: 'files' }>;

function files(results = realSizeResults()): Files {
  const apply = applyOf(results);
  assert.ok(apply.kind === 'files');
  return apply;
}

/** A command of the drop-in's comment, by what is said before it. */
const command = (dropIn: string, before: RegExp) => {
  const lines = dropIn.split('\n');
  return lines[lines.findIndex((line) => before.test(line)) + 1]!.replace(/^# {3}/, '');
};

/** As systemd-sysctl reads it: comments and empty lines away. */
const settings = (text: string) => text.split('\n').filter((line) => line !== '' && !/^[#;]/.test(line));

test('the drop-in sets what the variant changed, and says what was measured, where and how to repeat it', () => {
  const { name, dropIn, rollback, variant } = files();
  assert.equal(variant, 'wider-range');
  assert.equal(name, 'zz-bindstorm-wider-range.conf');
  assert.deepEqual(settings(dropIn), ['net.ipv4.ip_local_port_range = 1024 65535']);
  for (const expected of [
    /^# bindstorm: wider-range, the change that helped in the experiment quickstart$/m,
    /^# Measured {3}failures: 50\.0 % → 0 %, −50\.0 points \(the same in every run\), 6 pairs of runs$/m,
    /^# Guardrail {2}total time, p99: no difference, .* \(95 % CI .* to .*, p = 0\.88\), 6 pairs of runs$/m,
    /^# Where {6}Linux 6\.12\.63, x86_64; network namespace, client and origin joined by veth; bindstorm 0\.1\.0; 2026-03-02 09:14 UTC$/m,
    /^# Repeat {5}bindstorm run profiles\/quickstart\.yaml --seed 1$/m,
    /^# Beware {5}ports of the range that services listen on belong into net\.ipv4\.ip_local_reserved_ports/m,
    /^# Scale {6}measured with net\.ipv4\.ip_local_port_range = 1024 65535: in the lab 100 ports stood for 28,232: the step there was 645 times as many, here it is 2\.3 times as many at most$/m,
  ])
    assert.match(dropIn, expected);
  assert.ok(dropIn.endsWith('\n') && rollback.endsWith('\n'));
  const record = '/etc/sysctl.d/zz-bindstorm-wider-range.before';
  assert.equal(command(dropIn, /^# Record/), `test -s ${record} || sysctl net.ipv4.ip_local_port_range > ${record}`);
  assert.equal(command(dropIn, /^# Go back/), 'sh zz-bindstorm-wider-range.conf.rollback');
  assert.match(rollback, /^record=\/etc\/sysctl\.d\/zz-bindstorm-wider-range\.before$/m);
  for (const text of [dropIn.slice(0, dropIn.indexOf('# Repeat')), rollback])
    assert.doesNotMatch(text, /40099/, 'no value of the lab’s baseline');
});

test('a model of a machine is written at the scale of a machine', () => {
  const { dropIn, rollback } = files(quickstartResults());
  assert.deepEqual(settings(dropIn), ['net.ipv4.ip_local_port_range = 1024 65535']);
  assert.match(
    dropIn,
    /^# Scale {6}measured with net\.ipv4\.ip_local_port_range = 40000 40999: in the lab 100 ports stood for 28,232/m,
  );
  assert.doesNotMatch(rollback, /4\d{4}/);
});

test('it repeats what the report warns of at the winner, and what its sysctls cost', () => {
  const results = realSizeResults();
  const variant = results.variants[1]!;
  for (const [name, value] of [
    ['net.ipv4.tcp_timestamps', '0'],
    ['net.ipv4.tcp_tw_reuse', '1'],
  ] as const) {
    variant.sysctls[name] = value;
    for (const run of variant.runs) run.sysctls[name] = value;
  }
  const overflow =
    '12 sockets were closed without TIME_WAIT because tcp_max_tw_buckets was full (TCPTimeWaitOverflow): this frees their ports and loses the protection against old duplicates';
  for (const run of variant.runs) run.warnings.push(overflow);
  variant.verdict!.goal.warnings.push('two pairs were left out');
  variant.verdict!.guardrails[0]!.warnings.push('times: none of 6 pairs can be used');
  results.variants[2]!.runs[0]!.warnings.push('of another variant');
  const beware = (of: Results) => files(of).dropIn.match(/(?<=^# Beware {5}).*$/gm) ?? [];
  const texts = beware(results);
  assert.equal(texts.length, 5, texts.join('\n'));
  for (const expected of [
    /^ports of the range/,
    /^without TCP timestamps old segments .*PAWS/,
    /^tcp_tw_reuse acts only for ports that connect\(\) chooses/,
    /^two pairs were left out$/,
  ])
    assert.ok(
      texts.some((text) => expected.test(text)),
      `${expected} in\n${texts.join('\n')}`,
    );
  assert.equal(texts[4], overflow, 'once, though each run has it');
  assert.match(files(results).dropIn, /^# Guardrail {2}total time, p99: .*; times: none of 6 pairs can be used$/m);
  assert.ok(
    warnings(results).some((text) => text.endsWith(overflow)),
    'as in the report',
  );

  for (const [i, run] of variant.runs.entries()) run.warnings.push(`its own: ${i}`);
  const many = beware(results);
  assert.equal(many.length, 3 + 5 + 1);
  assert.match(many.at(-1)!, /^\d+ more warnings in the report$/);
});

test('no text of the experiment becomes a setting of its own', () => {
  const results = realSizeResults();
  const nasty = `${HOSTILE}\nkernel.core_pattern = |/bin/sh\r\u2028x`;
  results.experiment.name += nasty;
  results.experiment.command += nasty;
  results.environment.kernel += nasty;
  results.environment.lab += nasty;
  const variant = results.variants[1]!;
  variant.name += `/../../${nasty}`;
  const { name, dropIn, rollback } = files(results);
  assert.deepEqual(settings(dropIn), ['net.ipv4.ip_local_port_range = 1024 65535']);
  assert.equal(
    rollback.replaceAll(name.replace('.conf', ''), 'NAME'),
    files().rollback.replaceAll('zz-bindstorm-wider-range', 'NAME'),
  );
  assert.match(name, /^[A-Za-z0-9.-]+\.conf$/);
  for (const text of [dropIn, rollback]) assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\u2028]/u);
});

test('a noisy goal has its interval and its p', () => {
  const results = realSizeResults();
  Object.assign(results.variants[1]!.verdict!.goal, { kind: 'noisy', ci: [-0.51, -0.49], pHolm: 0.03125 });
  assert.match(files(results).dropIn, /−50\.0 points \(95 % CI −51\.0 to −49\.0, p = 0\.031\), 6 pairs of runs/);
});

test('where there is no winner there are no files', () => {
  const results = quickstartResults();
  results.experiment.status = 'partial';
  assert.equal(applyOf(results).kind, 'none');
});

test('says what lasts on a machine, before and after, and what somebody needs', () => {
  const results = realSizeResults();
  const real = (sustained: number, concurrent: number) =>
    ({ kind: 'scaled', ports: 28_232, concurrent, sustained, limited: 'by ports', slow: null }) as const;
  results.variants[0]!.real = real(2274.9, 141_160);
  results.variants[1]!.real = real(5198.5, 322_560);
  results.experiment.requiredRate = 5000;
  const apply = applyOf(results);
  assert.ok(apply.kind === 'files');
  assert.match(
    apply.dropIn,
    /^# Sustained {2}2,274\/s → 5,198\/s \(141,160 at once → 322,560 at once\), by the model with the ports of a machine$/m,
  );
  assert.match(apply.dropIn, /^# Required {3}5000\/s: fails after 28 s → holds, with 3 % to spare$/m);
  for (const { load } of results.variants.slice(0, 2)) load.holdMs = 2_400_000;
  assert.match(
    files(results).dropIn,
    /by the model with the ports of a machine and connections open for 40 min, as assumed$/m,
  );
});
