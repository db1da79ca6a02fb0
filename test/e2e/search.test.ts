// needs: squid
/** The search for the highest rate, as a user makes it: short steps, and limits that are exact counts. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { searchJsonSchema } from '../../src/results/json-schema.js';
import type { Results } from '../../src/results/schema.js';
import type { SearchReport } from '../../src/results/search.js';
import { runCli } from '../support/cli.js';
import { violations } from '../support/json-schema.js';

const cwd = mkdtempSync(join(tmpdir(), 'bindstorm-test-'));
after(() => rmSync(cwd, { recursive: true, force: true }));

/** A step is short: of TIME_WAIT nothing is over by its end, however busy the machine is, so that counts are exact. */
const profile = (more: string) => `name: rates
addresses: { cidr: 10.50.0.0/24, count: 2 }
load:
  strategy: bind
  arrival: { find: max-rate, from: 1/s, step: 200ms, confirm: 2 }
  lagBudget: 10s
  timeout: 30s
sysctls: { net.ipv4.ip_local_port_range: 40000 40049 }
${more}
`;

async function found(name: string, text: string, args: readonly string[]): Promise<SearchReport['arms']> {
  writeFileSync(join(cwd, `${name}.yaml`), text);
  const { code, stdout, stderr } = await runCli([...args, `${name}.yaml`, '--json', '--quiet', '--out', name], { cwd });
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout) as SearchReport & { folder: string };
  assert.deepEqual(readdirSync(join(cwd, report.folder)).sort(), [
    'journal.ndjson',
    'profile.yaml',
    'report.html',
    'search.json',
    'search.md',
  ]);
  const stored = JSON.parse(readFileSync(join(cwd, report.folder, 'search.json'), 'utf8')) as SearchReport;
  assert.deepEqual(stored.arms, report.arms);
  assert.deepEqual(violations(searchJsonSchema(), stored), []);
  return report.arms;
}

/** In the interval lies the rate whose connections of a minute are just as many as there is room for. */
function assertRate(arm: SearchReport['arms'][number] | undefined, tuples: number): void {
  assert.ok(arm?.interval, arm?.problem ?? 'no arm');
  const { low, high, held, limit } = arm.interval;
  // A tuple is in use for as long as TIME_WAIT lasts here: 60 s, and what its timer rounds up.
  const { seconds } = arm.occupancy;
  assert.ok(seconds >= 60 && low * seconds <= tuples + 1e-6, `${low}/s is more than ${tuples} in ${seconds} s`);
  assert.ok(high! * seconds > tuples, `${high}/s is not more than ${tuples} in ${seconds} s`);
  assert.deepEqual([held, limit], [2, 'refused']);
  assert.equal(arm.agreement?.verdict, 'agrees');
}

test('run on a profile that says find: max-rate', async () => {
  const variants = 'variants:\n  - { name: no-port, load: { strategy: bind-no-port }, destinations: { ports: 2 } }';
  const arms = await found('direct', profile(variants), ['run']);
  assert.deepEqual(
    arms.map(({ name }) => name),
    ['baseline', 'no-port'],
  );
  assertRate(arms[0], 100);
  assertRate(arms[1], 200);
});

test('search through a proxy, one arm only', async () => {
  const proxied = profile('subject: { kind: squid }\nvariants: [{ name: aa }]').replace('  strategy: bind\n', '');
  const arms = await found('proxied', proxied, ['search', '--only', 'baseline', '--tolerance', '4%']);
  assert.equal(arms.length, 1);
  assertRate(arms[0], 100);
});

test('in the folder of a run: its report has what was found', async () => {
  const text = profile('variants: [{ name: no-port, load: { strategy: bind-no-port }, destinations: { ports: 2 } }]')
    .replace(/arrival: .*/, 'arrival: { shape: constant, rate: 1000/s, duration: 120ms }')
    .replace('variants:', 'repeat: 2\nwarmup: 0\nrequiredRate: 400/s\nvariants:');
  writeFileSync(join(cwd, 'within.yaml'), text);
  const ran = await runCli(['run', 'within.yaml', '--json', '--quiet', '--out', 'within'], { cwd });
  assert.equal(ran.code, 0, ran.stderr);
  const { folder, variants, summary } = JSON.parse(ran.stdout) as Results & { folder: string };
  // 28,232 ports of two addresses, each for 62 to 65 s.
  assert.match(
    summary,
    /400\/s on a machine, by the model: holds, with \d+ % to spare until slow, 1[12]\d % until full \(baseline\)/,
  );
  assert.equal(variants[0]!.searched, undefined);
  const args = [
    'search',
    '--in',
    folder,
    '--only',
    'baseline',
    '--confirm',
    '1',
    '--tolerance',
    '5%',
    '--step',
    '200ms',
  ];
  const searched = await runCli([...args, '--quiet'], { cwd });
  assert.equal(searched.code, 0, searched.stderr);
  const stored = JSON.parse(readFileSync(join(cwd, folder, 'results.json'), 'utf8')) as Results;
  const { low, high } = stored.variants[0]!.searched!;
  assert.ok(low * 60 <= 100 && high! * 66 > 100, `${low} to ${high}`);
  assert.equal(stored.variants[1]!.searched, undefined);
  assert.match(
    readFileSync(join(cwd, folder, 'report.md'), 'utf8'),
    /lab: 1\.\d+\/s found, ports filled beforehand as the model says/,
  );
  const again = await runCli(args, { cwd });
  assert.equal(again.code, 2);
  assert.match(again.stderr, /has a search already; resume it with: bindstorm search --resume/);
  writeFileSync(join(cwd, folder, 'search', 'profile.yaml'), 'name: another\n');
  const rebuilt = await runCli(['report', folder], { cwd });
  assert.match(rebuilt.stdout.replaceAll(/\s+/g, ' '), /is of another profile, and is not in this report/);
});

test('what cannot be searched is refused before anything starts', async () => {
  writeFileSync(join(cwd, 'bad.yaml'), profile('variants: [{ name: aa }]'));
  const unknown = await runCli(['search', 'bad.yaml', '--only', 'nothing'], { cwd });
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /the profile has no arm "nothing" \(it has baseline, aa\)/);
  const turned = await runCli(['search', 'bad.yaml', '--from', '10/s', '--to', '5/s'], { cwd });
  assert.equal(turned.code, 2);
  assert.match(turned.stderr, /--from \(.*\) is above --to/);
});
