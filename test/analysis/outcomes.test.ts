/** Outcomes other than a call's errno are metrics like any other, from the profile to the exit code. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareArms } from '../../src/analysis/compare.js';
import { evaluateThresholds } from '../../src/analysis/thresholds.js';
import { loadProfile } from '../../src/profile/load.js';
import { ProfileError } from '../../src/profile/problem.js';
import { repeated } from '../support/runs.js';

const profile = (subject: string, outcome: string, other: string) => `name: answers
subject: ${subject}
addresses: { list: [10.50.0.1] }
load: { arrival: { shape: constant, rate: 100/s, duration: 1s } }
repeat: 6
variants: [{ name: wider-range, sysctls: { net.ipv4.ip_local_port_range: 40000 40199 } }]
goal: outcomes["${outcome}"].share
guardrails: ['outcomes["${other}"].count']
thresholds: [{ metric: 'outcomes["${outcome}"].count', max: 0, variant: wider-range }]
`;

describe('an outcome as goal, guardrail and threshold', () => {
  const answers = [
    ['{ kind: dante }', 'socks:general-failure', 'socks:no-acceptable-method'],
    ['{ kind: dante }', 'socks:reply-9', 'response:EOF'],
    ['{ kind: squid }', 'http:other', 'http:503 ERR_CONNECT_FAIL'],
    ['{ kind: haproxy }', 'exchange:EOF', 'timeout:ETIMEDOUT'],
  ] as const;
  for (const [subject, outcome, other] of answers) {
    it(`${outcome} of ${subject} is compared and held against its limit`, () => {
      const { experiment } = loadProfile(profile(subject, outcome, other), 'answers.yaml');
      const runs = [
        ...repeated('baseline', 6, { outcomes: { ok: 50, [outcome]: 40, [other]: 10 } }),
        ...repeated('wider-range', 6, { outcomes: { ok: 90, [other]: 10 } }),
      ];
      const verdict = compareArms({ experiment, runs, deterministic: () => true }).get('wider-range')!;
      assert.equal(verdict.goal.verdict, 'better', verdict.goal.why);
      assert.equal(verdict.verdict, 'better', verdict.sentence);
      assert.deepEqual(
        verdict.guardrails.map((guardrail) => guardrail.verdict),
        ['no difference', 'better'],
        'the failing outcome brings failures.share with it',
      );
      assert.deepEqual(
        evaluateThresholds(experiment, runs, () => false).map(({ value, passed }) => [value, passed]),
        [[0, true]],
      );
    });
  }

  it('is refused with the word that was meant', () => {
    assert.throws(
      () => loadProfile(profile('{ kind: dante }', 'socks:genral-failure', 'http:othr'), 'answers.yaml'),
      (error) =>
        error instanceof ProfileError &&
        /goal: .*did you mean "socks:general-failure"\?/.test(error.message) &&
        /guardrails\[0\]: .*http:other/.test(error.message) &&
        /thresholds\[0\]\.metric: .*did you mean "socks:general-failure"\?/.test(error.message),
    );
  });
});
