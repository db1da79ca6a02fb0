/**
 * The grid of the oracle of UDP (test/lab/datagram-oracle.test.ts) against Linux 5.10, 6.1, 6.12 and 7.x in guests, one boot a kernel: each says what
 * the model says of its version. What differs from 6.18 is a socket's own range, which came with 6.3 (and was brought to 6.1).
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { parseKernelVersion } from '../../../src/capacity/kernel-version.js';
import { predict } from '../../../src/capacity/predict.js';
import { datagramInput } from '../../capacity/datagram-input.js';
import type { DatagramAnswer, DatagramInput } from '../../support/datagram-driver.js';
import { attemptsOf, datagramGrid, titleOfDatagrams } from '../../support/datagram-oracle.js';
import { columnOf, KERNELS } from '../../support/kernel-tables.js';
import { bootProgramGuest, type ProgramGuest } from '../../support/program-guest.js';

/** Those that are refused take most of the time. */
const BEYOND = 3;
/** All of IPv4. Of IPv6, which has the same table of ports and is measured whole on this machine's kernel, each way with all options, once. */
const CASES = datagramGrid().filter(
  ({ family, strategy, addresses, destinations }) =>
    family === 4 || (destinations === 1 && addresses === (strategy === 'bind' ? 2 : 1)),
);
const ADDRESSES = [4, 6].flatMap((family) => [1, 2, 3].map((i) => (family === 4 ? `10.50.0.${i}` : `fd00:50::${i}`)));

for (const { suite, column } of KERNELS)
  describe(`Linux ${column}`, { skip: process.arch !== 'x64' && 'User-Mode Linux is for x86-64' }, () => {
    let guest: ProgramGuest;
    let answers: DatagramAnswer[];
    before(async () => {
      const input: DatagramInput = { where: 'shared', addresses: ADDRESSES, cases: CASES, beyond: BEYOND };
      guest = await bootProgramGuest(suite, { 'datagram-driver.js': `${JSON.stringify(input)}\n` });
      answers = (await guest.run('datagram-driver.js')).map((line) => JSON.parse(line) as DatagramAnswer);
    });
    after(() => guest?.close());

    it('is what its column says', () => assert.equal(columnOf(guest.release), column));

    for (const strategy of new Set(CASES.map((one) => one.strategy))) {
      const own = CASES.filter((one) => one.strategy === strategy);
      it(`${strategy}: ${own.length} cases`, () => {
        const kernel = parseKernelVersion(guest.release);
        assert.equal(answers.length, CASES.length);
        const wrong = own.flatMap((one) => {
          // Which ports they have a kernel without the module udp_diag does not say.
          const { outcomes } = answers[CASES.indexOf(one)]!;
          const { concurrent, unbounded, fails } = predict(datagramInput(one, kernel));
          const attempts = attemptsOf(one, BEYOND);
          const ok = unbounded ? attempts : Math.min(attempts, concurrent!);
          const foreseen = { ...(ok > 0 && { ok }), ...(attempts > ok && { [fails]: attempts - ok }) };
          return isDeepStrictEqual(outcomes, foreseen)
            ? []
            : [`${titleOfDatagrams(one)}: ${JSON.stringify({ outcomes, foreseen })}`];
        });
        assert.deepEqual(wrong, []);
      });
    }
  });
