/**
 * All rows of the oracle, and the cases that it does not hold, against Linux 5.10, 6.1, 6.12 and 7.x in guests, one boot a kernel.
 * What is not in oracle-kernels.tsv must be as on 6.18. A guest makes system calls at a fifth of this machine's speed, so the rows
 * have four ports instead of a hundred.
 */
import assert from 'node:assert/strict';
import { release as ownRelease } from 'node:os';
import { after, before, describe, it, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { parseKernelVersion } from '../../../src/capacity/kernel-version.js';
import { judgeSysctl, PORT_SYSCTLS } from '../../../src/capacity/sysctl-catalogue.js';
import { netnsCommand } from '../../../src/lab/netns.js';
import { casesOn, columnOf, differingRows, KERNELS, rowOn } from '../../support/kernel-tables.js';
import {
  assertRow,
  driverInput,
  driverRows,
  LOOPBACK_ADDRESSES,
  readOracle,
  scaled,
  titleOf,
} from '../../support/oracle.js';
import type { DriverRow } from '../../support/oracle-driver.js';
import { assertRandom, predictedRows, randomRows } from '../../support/predicted.js';
import { bootProgramGuest, type ProgramGuest } from '../../support/program-guest.js';

const PORTS = 4;
const oracle = readOracle();

test('the differences are about rows of the oracle', () => {
  assert.deepEqual(
    KERNELS.map(({ column }) => [column, differingRows(column, oracle).length]),
    [
      ['5.10', 48],
      ['6.1', 0],
      ['6.12', 0],
      ['7.x', 0],
    ],
  );
});

for (const { suite, column, release } of KERNELS) {
  describe(`Linux ${column}`, { skip: process.arch !== 'x64' && 'User-Mode Linux is for x86-64' }, () => {
    const measured = oracle.map((row) => scaled(rowOn(column, row), PORTS));
    const predicted = predictedRows(release, true);
    const random = randomRows();
    const rows = [...measured, ...predicted, ...random];
    let guest: ProgramGuest;
    let answers: DriverRow[];
    before(async () => {
      const input = driverInput(rows, 'loopback', LOOPBACK_ADDRESSES, PORTS);
      guest = await bootProgramGuest(suite, { 'oracle-driver.js': `${JSON.stringify(input)}\n` });
      answers = driverRows(await guest.run('oracle-driver.js'));
    });
    after(() => guest?.close());

    it('is what its column says', () => assert.equal(columnOf(guest.release), column));

    for (const strategy of new Set(measured.map((row) => row.strategy)))
      it(`${strategy}: ${measured.filter((row) => row.strategy === strategy).length} rows`, () => {
        const wrong = measured.flatMap((row, i) => (row.strategy === strategy ? complaint(row, answers[i]) : []));
        assert.deepEqual(wrong, []);
      });

    it(`the prediction for four destinations, ${predicted.length} rows`, () => {
      const wrong = predicted.flatMap((row, i) => complaint(row, answers[measured.length + i]));
      assert.deepEqual(wrong, []);
    });

    it('the simulation of what is random', () => assertRandom(release, random, answers.slice(-random.length)));

    it('cases', async () => {
      assert.deepEqual(JSON.parse((await guest.run('kernel-cases.js'))[0]!), casesOn(column));
    });

    it('has the sysctls that the catalogue says', async () => {
      const kernel = parseKernelVersion(guest.release);
      const lines = await guest.run('list-sysctls.js');
      const files = new Map(lines.map((line) => JSON.parse(line) as [name: string, writable: boolean]));
      assert.ok(files.size > 100);
      for (const name of PORT_SYSCTLS) assert.equal(files.has(name), judgeSysctl(name, kernel, 'kernel').ok, name);
      for (const [name, writable] of files) {
        if (judgeSysctl(name, kernel, 'namespace').ok) assert.ok(writable, `${name} is allowed and read-only`);
        const judgement = judgeSysctl(name, kernel, 'kernel');
        if (!judgement.ok && writable) assert.match(judgement.reason, /it is refused in every lab\.$/, name);
      }
    });
  });
}

/** What is wrong with the answer to a row: one message, or none. */
function complaint(row: (typeof oracle)[number], answer: DriverRow | undefined): string[] {
  try {
    assert.ok(answer, 'no answer');
    assertRow(row, answer, PORTS);
    return [];
  } catch (error) {
    return [`${titleOf(row)}: ${(error as Error).message}`];
  }
}

// Another release of a guest's series may have more, or fewer, of what a stable series was brought; 6.18 has a column and no guest.
if (columnOf(ownRelease()) === '6.18')
  test("cases on this machine's kernel, 6.18", async () => {
    const program = fileURLToPath(new URL('../../support/kernel-cases.js', import.meta.url));
    const command = netnsCommand([process.execPath, program], process.getuid?.() === 0);
    const { stdout } = await execa(command[0]!, command.slice(1));
    assert.deepEqual(JSON.parse(stdout), casesOn('6.18'));
  });
