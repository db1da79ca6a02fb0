/** A search that is interrupted, by a signal that it hears and by one that it does not, goes on where it was. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SearchReport } from '../../src/results/search.js';
import { runCli, scratchFolder, startCli, until } from '../support/cli.js';

/** A step is short: of TIME_WAIT nothing is over by its end, so that counts are exact, however busy the machine is. */
const PROFILE = `name: rates
addresses: { cidr: 10.50.0.0/24, count: 2 }
load:
  strategy: bind
  arrival: { find: max-rate, from: 1/s, step: 200ms, confirm: 2, tolerance: 4% }
  lagBudget: 10s
  timeout: 30s
sysctls: { net.ipv4.ip_local_port_range: 40000 40049 }
variants: [{ name: twice, addresses: { count: 4 } }]
`;

/** What a command says that has folders of another kind. */
const inOther = (folder: string) =>
  new RegExp(`^bindstorm: ${folder} holds a search, not .*; resume it with: bindstorm search --resume ${folder}`);

test('no step is lost, and none is made again', async (t) => {
  const cwd = scratchFolder(t);
  writeFileSync(join(cwd, 'rates.yaml'), PROFILE);
  const out = join(cwd, 'out');
  const journal = () => join(out, readdirSync(out)[0]!, 'journal.ndjson');
  const steps = (): string[] =>
    existsSync(out) && readdirSync(out).length > 0 && existsSync(journal())
      ? readFileSync(journal(), 'utf8')
          .split('\n')
          .filter((line) => line.startsWith('{"type":"step"'))
      : [];
  const isPrefix = (before: readonly string[]) => assert.deepEqual(steps().slice(0, before.length), before);

  const first = startCli(['search', 'rates.yaml', '--out', 'out'], { cwd });
  await until('two steps', () => steps().length >= 2, 60_000);
  first.kill('SIGINT');
  const interrupted = await first.ended;
  assert.equal(interrupted.code, 130, interrupted.stderr);
  const folder = interrupted.stderr.match(/^resume with: bindstorm search --resume (.+)$/m)?.[1];
  assert.ok(folder, interrupted.stderr);
  const partial = JSON.parse(readFileSync(join(cwd, folder, 'search.json'), 'utf8')) as SearchReport;
  assert.deepEqual(
    partial.arms.map(({ problem }) => problem),
    ['interrupted', 'interrupted'],
  );
  const one = steps();
  assert.equal(partial.arms[0]!.steps.length, one.length);

  const resume = ['search', '--resume', folder];
  const second = startCli(resume, { cwd });
  await until('two steps more', () => steps().length >= one.length + 2, 60_000);
  second.kill('SIGKILL');
  assert.equal((await second.ended).signal, 'SIGKILL');
  const two = steps();
  isPrefix(one);
  // As a crash in the midst of a write leaves it.
  appendFileSync(journal(), '{"type":"step","ar');

  // What would make it another search is refused, and touches nothing.
  for (const [args, message] of [
    [[...resume, '--tolerance', '1%'], /--tolerance cannot be changed on --resume/],
    [['search', 'rates.yaml', '--resume', folder], /leave the profile out/],
    [['search', '--resume', 'nowhere'], /there is no folder nowhere; name one that bindstorm has made/],
    [['search', '--resume', 'out'], /journal\.ndjson does not exist; name a folder that `bindstorm search` has made/],
    [['search'], /name a profile, as in/],
    // What another command must resume.
    [['run', '--resume', folder], inOther(folder)],
    [['report', folder], inOther(folder)],
    [['fixes', '--resume', folder], inOther(folder)],
  ] as const) {
    const refused = await runCli(args, { cwd });
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stderr, message);
  }
  const profile = join(cwd, folder, 'profile.yaml');
  writeFileSync(profile, PROFILE.replace('40049', '40059'));
  const changed = await runCli(resume, { cwd });
  assert.equal(changed.code, 2, changed.stderr);
  assert.match(changed.stderr, /profile\.yaml was changed after this began/);
  writeFileSync(profile, PROFILE);

  const end = await runCli([...resume, '--json'], { cwd });
  assert.equal(end.code, 0, end.stderr);
  isPrefix(two);
  const { arms } = JSON.parse(end.stdout) as SearchReport;
  const all = steps().map((line) => JSON.parse(line) as { arm: string; step: SearchReport['arms'][0]['steps'][0] });
  for (const [arm, tuples] of [
    ['baseline', 100],
    ['twice', 200],
  ] as const) {
    const found = arms.find(({ name }) => name === arm)!;
    const made = all.filter((entry) => entry.arm === arm).map(({ step }) => step);
    assert.deepEqual(found.steps, made);
    assert.equal(new Set(made.map(({ id }) => id)).size, made.length);
    const { low, high, held } = found.interval!;
    // A tuple is in use for as long as TIME_WAIT lasts here: 60 s, and what its timer rounds up.
    const { seconds } = found.occupancy;
    assert.ok(seconds >= 60 && low * seconds <= tuples + 1e-6 && high! * seconds > tuples, `${low} to ${high}/s`);
    assert.equal(held, 2);
  }

  const again = await runCli(resume, { cwd });
  assert.equal(again.code, 0, again.stderr);
  assert.equal(steps().length, all.length, 'nothing was left to do');
});
