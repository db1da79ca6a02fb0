/**
 * The profiles that show what a NAT does, each run as a user runs it, as root and without: the exact outcomes of every run, the verdicts,
 * and what the report tells a reader who only knew that it hangs sometimes.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Results, resultsSchema } from '../../src/results/schema.js';
import { runCli, scratchFolder } from '../support/cli.js';
import { mayHaveNamespaces, ordinaryUser } from '../support/ordinary-user.js';

const DROPPED = 'timeout:ETIMEDOUT';
type Expected = readonly [ok: number, dropped: number, verdict?: string];

/** Profile → arm → what every run of it counts, and the verdict. */
const PROFILES: Readonly<Record<string, Readonly<Record<string, Expected>>>> = {
  'nat-gateway': {
    baseline: [60, 140],
    'second-address': [60, 140, 'no difference'],
    'two-rules': [120, 80, 'better'],
    'wider-range': [120, 80, 'better'],
    'router-port-range': [60, 140, 'no difference'],
    'fully-random': [60, 140, 'no difference'],
    'second-destination': [120, 80, 'better'],
    'conntrack-time-wait': [60, 140, 'no difference'],
  },
  'nat-two-addresses': {
    baseline: [20, 140],
    'eight-clients': [40, 120, 'better'],
    'two-rules': [40, 120, 'better'],
    'four-ports-of-the-origin': [80, 80, 'better'],
    persistent: [20, 140, 'no difference'],
  },
  'docker-bridge': {
    baseline: [200, 0],
    'ports-in-the-rule': [100, 100, 'worse'],
    'fully-random': [200, 0, 'no difference'],
    'router-port-range': [200, 0, 'no difference'],
  },
  'redirect-proxy': { baseline: [80, 0], tproxy: [80, 0, 'better'] },
};

interface Ran {
  readonly results: Results;
  readonly report: string;
}

type User = Exclude<Awaited<ReturnType<typeof ordinaryUser>>, string>;

async function run(profile: string, user: Pick<User, 'cwd'> & Partial<User>): Promise<Ran> {
  const { code, stdout, stderr } = await runCli(['run', profile, '--json', '--quiet'], user);
  assert.equal(code, 0, stderr);
  const { folder, ...results } = JSON.parse(stdout) as Results & { folder: string };
  return {
    results: resultsSchema.parse(results),
    report: readFileSync(join(user.cwd, folder, 'report.md'), 'utf8'),
  };
}

function assertCounts({ variants }: Results, expected: Readonly<Record<string, Expected>>): void {
  assert.deepEqual(
    variants.map(({ name }) => name),
    Object.keys(expected),
  );
  for (const { name, runs, verdict } of variants) {
    const [ok, dropped, said] = expected[name]!;
    for (const each of runs) {
      assert.deepEqual(each.outcomes, { ok, ...(dropped > 0 ? { [DROPPED]: dropped } : {}) }, each.id);
      // A SYN each; more where a busy machine was so late that some were sent again, which found no port either.
      const failed = each.router?.counters.insert_failed ?? 0;
      assert.ok(dropped === 0 ? failed === 0 : failed >= dropped, `${each.id}: insert_failed ${failed}`);
      assert.deepEqual(each.problems, []);
    }
    assert.equal(verdict?.verdict, said, name);
  }
}

for (const [profile, expected] of Object.entries(PROFILES))
  describe(profile, () => {
    test('as root', { skip: process.getuid?.() !== 0 && 'not root' }, async (t) => {
      const { results, report } = await run(profile, { cwd: scratchFolder(t) });
      assertCounts(results, expected);
      if (profile === 'nat-gateway') assertExplained(report);
      if (profile === 'redirect-proxy') assertRenamed(results);
      if (profile === 'docker-bridge') assertMoved(results);
    });

    test('as an ordinary user', async (t) => {
      const user = await ordinaryUser(t);
      if (typeof user === 'string') return t.skip(user);
      if (!mayHaveNamespaces(user)) return t.skip('this machine gives ordinary users no namespaces');
      assert.ok(existsSync(user.cwd));
      const { results } = await run(profile, user);
      assert.equal(results.environment.root, false);
      assertCounts(results, expected);
    });
  });

function assertExplained(report: string): void {
  assert.match(report, /The router had no port left for 140 SYNs of the baseline and dropped them/);
  assert.match(report, /it counts insert_failed and drop, and tells neither side/);
  assert.match(
    report,
    /So it looks like waiting\. The kernel sends the SYN again, here 0, 1, [\d, ]+ s after connect\(\)/,
  );
  assert.match(
    report,
    /What helps is more ports towards that destination: a wider range in the rule, a rule for each NAT address/,
  );
  assert.match(report, /A second address in the same rule gives one client nothing/);
}

/** Of four connections that share a client port REDIRECT renames three; one of those may take a port that a later client has. */
function assertRenamed({ variants: [redirect, tproxy] }: Results): void {
  for (const { router } of redirect!.runs) assert.ok(router!.moved >= 60 && router!.moved <= 62, `${router!.moved}`);
  for (const { router } of tproxy!.runs) assert.equal(router!.moved, 0);
}

/** Two containers with the same hundred ports: the second of each pair is moved, beyond what the containers choose from. */
function assertMoved({ variants: [baseline] }: Results): void {
  for (const { router } of baseline!.runs) {
    assert.ok(router!.moved >= 100 && router!.moved <= 110, `${router!.moved} moved`);
    assert.equal(router!.kept + router!.moved, 200);
  }
}
