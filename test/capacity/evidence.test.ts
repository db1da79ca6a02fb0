import assert from 'node:assert/strict';
import { test } from 'node:test';
import { predict } from '../../src/capacity/predict.js';
import { STRATEGY_NAMES } from '../../src/domain/strategy.js';
import { KERNELS } from '../support/kernel-tables.js';
import { input } from './inputs.js';

const known = (changes: Parameters<typeof input>[0]) => predict(input(changes)).known!;

test('measured on that series, read in its source or between two that were read, simulated, or assumed', () => {
  assert.deepEqual(known({ kernel: '6.18.1' }), { how: 'measured', on: ['6.18.44'], why: 'measured on 6.18.44' });
  assert.deepEqual(
    [known({ kernel: '6.1.0-28-amd64' }).how, known({ kernel: '3.2.0-4-amd64' }).how],
    ['measured', 'measured'],
  );
  const read = known({ kernel: '4.19.0' });
  assert.equal(read.how, 'read');
  assert.match(
    read.why,
    /^read in the source of 4\.19; measured on 3\.3\.8, 5\.10\.46, .*, where the same rule holds$/,
  );
  const between = known({ kernel: '5.4.0', strategy: 'bind-reuseaddr' });
  assert.deepEqual([between.how, between.on], ['assumed', []], 'nothing after 4.19 was read of its era');
  assert.deepEqual(known({ kernel: '5.14.0', strategy: 'bind-reuseaddr' }).on, ['5.7.14', '5.15.135']);
  assert.equal(known({ kernel: '8.0' }).how, 'assumed');
  assert.match(
    known({ kernel: '8.0' }).why,
    /^8\.0 is newer than what was read \(7\.1\.3\), and is taken to be like it/,
  );
  assert.match(known({ kernel: '2.6.18' }).why, /^2\.6\.18 is older/);
});

test('the kernels of the guests, whose rows the tests hold, are measured for every strategy that they have', () => {
  for (const { release } of KERNELS) {
    for (const strategy of STRATEGY_NAMES) {
      const { how, on } = known({ kernel: release, strategy });
      const has = strategy !== 'local-port-range' || release !== '5.10.46';
      assert.deepEqual(
        [how, on.includes(release)],
        has ? ['measured', true] : ['read', false],
        `${strategy} ${release}`,
      );
    }
  }
});

test('random sharing is simulated, and says on which kernel the simulation was held against the truth', () => {
  const era = (kernel: string) => known({ kernel, strategy: 'bind-reuseaddr', destinations: 2 });
  assert.deepEqual([era('3.0').how, era('3.0').on], ['simulated', ['3.2.71']]);
  assert.deepEqual([era('3.10').how, era('3.10').on], ['simulated', []]);
  assert.deepEqual(known({ strategy: 'bind-reuseaddr', destinations: 2, autobindReuse: true }).on, [
    '5.10.46',
    '6.1.176',
    '6.12.101',
    '6.18.44',
    '7.2.7',
  ]);
});

test('vendors change bind() within one kernel number', () => {
  assert.equal(known({ kernel: '2.6.32-642.6.2.el6' }).how, 'read');
  assert.equal(known({ kernel: '4.18.0-553.el8' }).how, 'assumed');
  assert.equal(known({ kernel: '3.10.0-1160.el7.x86_64', strategy: 'bind-no-port' }).how, 'assumed');
  assert.equal(known({ kernel: '3.10', strategy: 'bind-no-port' }).how, 'read');
});

test('a vendor’s kernel on which ip_autobind_reuse is set has the code behind it', () => {
  const shared = predict(
    input({ kernel: '4.18.0-553.el8', strategy: 'bind-reuseaddr', destinations: 2, autobindReuse: true }),
  );
  assert.match(shared.formula, /^at most .* = 125$/);
  assert.equal(
    predict(input({ kernel: '4.19', strategy: 'bind-reuseaddr', destinations: 2, autobindReuse: true })).concurrent,
    100,
  );
});
