import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rateOption } from '../../src/commands/parsers.js';
import { parseLocalPortRange } from '../../src/domain/sysctl-syntax.js';
import { parseRate, portsWithin, UnitError } from '../../src/domain/units.js';
import { loadProfile } from '../../src/profile/load.js';
import { add, arrival } from '../profile/bad/bad-profile.js';

describe('a rate', () => {
  const rates: [text: string, perSecond: number][] = [
    ['2000/s', 2000],
    ['0.5/s', 0.5],
    ['20k/s', 20_000],
    ['1M/s', 1_000_000],
    ['0.02M/min', 20_000 / 60],
    ['600/m', 10],
    ['1k/sec', 1000],
  ];
  for (const [text, perSecond] of rates)
    it(`${text} is the same in an option of capacity, in one of search and in a profile`, () => {
      assert.equal(parseRate(text), perSecond);
      assert.equal(rateOption(text), perSecond);
      const { experiment } = loadProfile(arrival(`{ shape: constant, rate: ${text}, duration: 2s }`), 'rate.yaml');
      const { arrival: read } = experiment.arms[0]!.load;
      assert.equal(read.shape === 'constant' && read.rate, perSecond);
    });

  it('has no upper bound where no load is made of it', () => {
    assert.equal(rateOption('50M/s'), 50_000_000);
    assert.throws(() => parseRate('50M/s'), /too high; a rate may be at most 1000000\/s/);
  });

  it('is greater than 0 and has a unit', () => {
    for (const text of ['0/s', '5', '5/h', 'fast', '-1/s', '1m/s'])
      assert.throws(() => parseRate(text), UnitError, text);
    assert.throws(() => rateOption('0/min'), /must be greater than 0/);
  });
});

describe('ip_local_port_range', () => {
  it('is two numbers with a blank between them, as the kernel reads and shows it', () => {
    for (const value of ['1024 65535', '1024\t65535'])
      assert.deepEqual(parseLocalPortRange(value), { low: 1024, high: 65535 });
    for (const value of ['1024-65535', '65535 1024', '0 65535', '1024', ''])
      assert.throws(() => parseLocalPortRange(value), UnitError, value);
  });

  it('is one text in a plan, however the profile separates its numbers', () => {
    const range = (value: string) =>
      loadProfile(add(`sysctls: { net.ipv4.ip_local_port_range: "${value}" }`), 'range.yaml').experiment.arms[0]!
        .sysctls;
    assert.deepEqual(range('1024\\t65535'), range('1024 65535'));
  });

  it('loses each reserved port once', () => {
    assert.equal(portsWithin('8080,9000-9100,9050-9060', { low: 8000, high: 9099 }).size, 101);
    assert.equal(portsWithin('', { low: 1, high: 65535 }).size, 0);
  });
});
