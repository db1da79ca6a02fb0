/**
 * Every row of oracle-6.18.tsv against the kernel that runs here. The table was measured on loopback addresses; the lab uses 10.x,
 * where tcp_tw_reuse=2 (the default, «127.0.0.0/8 only») acts as 0. Those rows are asserted both ways.
 */
import assert from 'node:assert/strict';
import { release } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { atLeast, parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { netnsCommand } from '../../src/lab/netns.js';
import { tenAddresses } from '../support/lab.js';
import {
  assertRow,
  driverInput,
  driverRows,
  isRandom,
  LOOPBACK_ADDRESSES,
  type OracleRow,
  PORTS,
  readOracle,
  titleOf,
} from '../support/oracle.js';
import type { DriverRow } from '../support/oracle-driver.js';
import { assertRandom, predictedRows, randomRows } from '../support/predicted.js';

type Where = 'lab' | 'loopback';

/** Put rows of one strategy to the kernel, in one lab. */
async function ask(rows: readonly OracleRow[], where: Where): Promise<DriverRow[]> {
  const driver = fileURLToPath(new URL('../support/oracle-driver.js', import.meta.url));
  const command = netnsCommand([process.execPath, driver], process.getuid?.() === 0);
  const addresses = where === 'lab' ? tenAddresses(5) : LOOPBACK_ADDRESSES;
  const input = `${JSON.stringify(driverInput(rows, where, addresses, PORTS))}\n`;
  const { stdout } = await execa(command[0]!, command.slice(1), { input });
  return driverRows(stdout.split('\n'));
}

/** On 10.x addresses tcp_tw_reuse=2 gives nothing back; a bound port with SO_REUSEADDR needs no sysctl. */
function onLabAddresses(row: OracleRow): OracleRow {
  return row.twReuse === '2' && row.secondWave! < row.attempts ? { ...row, secondWave: 0 } : row;
}

const kernel = parseKernelVersion(release());
const rows = readOracle();

// The table is of 6.18. What it says holds since 5.7 for all its rows but local-port-range, which is younger.
const applies = (row: OracleRow) => atLeast(kernel, row.strategy === 'local-port-range' ? '6.3' : '5.7');

test('the table is whole', () => {
  assert.equal(rows.length, 576);
  assert.equal(rows.filter(isRandom).length, 6);
});

for (const [where, chosen] of [
  ['lab', rows.filter(applies).map(onLabAddresses)],
  ['loopback', rows.filter((row) => row.twReuse === '2' && applies(row))],
] as const) {
  for (const strategy of new Set(chosen.map((row) => row.strategy))) {
    const own = chosen.filter((row) => row.strategy === strategy);
    test(`${strategy}: ${own.length} rows on ${where === 'lab' ? '10.x' : 'loopback'} addresses`, async (t) => {
      const answers = await ask(own, where);
      assert.equal(answers.length, own.length);
      for (const [i, row] of own.entries()) await t.test(titleOf(row), () => assertRow(row, answers[i]!, PORTS));
    });
  }
}

test('the prediction for four destinations, and the simulation of what is random', {
  skip: !atLeast(kernel, '5.7') && 'without ip_autobind_reuse',
}, async (t) => {
  const predicted = predictedRows(release(), false);
  const random = randomRows();
  const answers = await ask([...predicted, ...random], 'lab');
  for (const [i, row] of predicted.entries()) await t.test(titleOf(row), () => assertRow(row, answers[i]!, row.ports!));
  await t.test('random', () => assertRandom(release(), random, answers.slice(-random.length)));
});
