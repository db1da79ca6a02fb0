/**
 * Tors of Debian suites: fetched once each, and what becomes of arms whose Tor cannot be had.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fetchPrograms } from '../../src/experiment/fetched-programs.js';
import { findPlaces } from '../../src/experiment/places.js';
import { LabError } from '../../src/lab/lab.js';
import { loadProfile } from '../../src/profile/load.js';
import { programOf } from '../../src/subjects/index.js';
import { fakeLab } from '../support/fake-lab.js';
import { placeOf } from '../support/findings.js';

const { experiment } = loadProfile(
  `name: tors
subject: { kind: tor }
addresses: 10.50.0.1/32
load: { arrival: { shape: fill, attempts: 10 } }
variants:
  - { name: old, subject: { suite: bullseye } }
  - { name: old-and-wider, subject: { suite: bullseye }, sysctls: { net.ipv4.ip_local_port_range: 40000 40999 } }
  - { name: wider, sysctls: { net.ipv4.ip_local_port_range: 40000 40999 } }
`,
  'tors.yaml',
);
const noArchive = () => Promise.reject(new LabError('tor of bullseye cannot be fetched', { remedy: 'give a path' }));

describe('Tors of Debian suites', () => {
  it('are not fetched for a lab that cannot be, as one whose kernel is not there', async () => {
    const lab = {
      ...fakeLab(() => assert.fail('opened')),
      refuse: () => {
        throw new LabError('no such kernel');
      },
    };
    const places = findPlaces(experiment, () => lab, { fetchTor: () => assert.fail('fetched') });
    await assert.rejects(places, { message: 'no such kernel' });
  });

  it('are fetched once, and only where one is named', async () => {
    const asked: string[] = [];
    const { experiment: provided, warnings } = await fetchPrograms(experiment, async (suite) => {
      asked.push(suite);
      return `/cache/${suite}/tor`;
    });
    assert.deepEqual(asked, ['bullseye']);
    assert.deepEqual(warnings, []);
    assert.deepEqual(
      provided.arms.map(({ name, proxy }) => [name, proxy && programOf(proxy).binary]),
      [
        ['baseline', 'tor'],
        ['old', '/cache/bullseye/tor'],
        ['old-and-wider', '/cache/bullseye/tor'],
        ['wider', 'tor'],
      ],
    );
    assert.deepEqual(
      provided.arms.map(({ load }) => load.strategy),
      ['bind-no-port-reuseaddr', 'bind-reuseaddr', 'bind-reuseaddr', 'bind-no-port-reuseaddr'],
    );
  });

  it('that cannot be had are named, and the other arms run', async () => {
    const { experiment: provided, warnings } = await fetchPrograms(experiment, noArchive);
    assert.deepEqual(
      provided.arms.map(({ name }) => name),
      ['baseline', 'wider'],
    );
    assert.deepEqual(warnings, [
      'old is not run: tor of bullseye cannot be fetched; give a path',
      'old-and-wider is not run: tor of bullseye cannot be fetched; give a path',
    ]);
    const why = 'tor of bullseye cannot be fetched; give a path';
    const leftOut = [
      { name: 'old', why },
      { name: 'old-and-wider', why },
    ];
    assert.deepEqual(provided.leftOut, leftOut, 'the journal has them, and so all that is made of it');
    const resumed = await fetchPrograms(provided, () => assert.fail('what was not run then is not asked again'));
    assert.deepEqual(resumed.experiment.leftOut, leftOut);
    assert.deepEqual(resumed.warnings, warnings);
  });

  it('that cannot be had do not shift the places of what else is wrong in the profile', async () => {
    const { experiment: faulty, refuse } = loadProfile(
      `name: tors
subject: { kind: tor }
addresses: 10.50.0.1/32
load: { arrival: { shape: fill, attempts: 10 } }
variants:
  - { name: old, subject: { suite: bullseye } }
  - { name: nowhere, subject: { binary: /nowhere/tor } }
  - { name: reuse, sysctls: { net.ipv4.tcp_tw_reuse: 1 } }
`,
      'tors.yaml',
    );
    const lab = fakeLab(() => ({
      environment: { kernel: '6.18.1' },
      answers: (command) => {
        if (command.type !== 'check') return assert.fail('nothing runs');
        const check = {
          sysctls: command.sysctls.map(([name, value]) => ({ name, value, readBack: null, errno: 'EINVAL' })),
          strategies: command.strategies.map((name) => ({ name, missing: null })),
          programs: (command.proxies ?? []).map(({ binary }) => ({
            binary,
            version: null,
            problem: binary === 'tor' ? null : `found no ${binary}`,
          })),
          family: { available: true, errno: null },
          veth: { available: true, errno: null },
          notLocal: [],
          clocksMissing: null,
        };
        return [{ type: 'checked', check }];
      },
    }));
    const { findings } = await findPlaces(faulty, () => lab, { fetchTor: noArchive });
    assert.deepEqual(findings.map(placeOf).sort(), [
      'nowhere.subject.binary',
      'reuse.sysctls["net.ipv4.tcp_tw_reuse"]',
    ]);
    assert.match(refuse(findings).message, /^tors\.yaml:7:\d+: .*found no \/nowhere\/tor/m);
  });

  it('are an error in the baseline', async () => {
    const baseline = { ...experiment.arms[0]!, proxy: experiment.arms[1]!.proxy! };
    await assert.rejects(
      fetchPrograms({ ...experiment, arms: [baseline, ...experiment.arms.slice(1)] }, noArchive),
      LabError,
    );
  });
});
