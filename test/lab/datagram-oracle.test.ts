/**
 * Every row of oracle-udp.tsv, and the rest of its grid, against the kernel that runs here, through the datagram engine in a lab: the table, the
 * model and the kernel say the same.
 */
import assert from 'node:assert/strict';
import { release } from 'node:os';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { predict } from '../../src/capacity/predict.js';
import { netnsCommand } from '../../src/lab/netns.js';
import { hasIpv6 } from '../../src/load/origin/internet/any-address.js';
import { datagramInput } from '../capacity/datagram-input.js';
import type { DatagramAnswer, DatagramInput } from '../support/datagram-driver.js';
import {
  attemptsOf,
  type DatagramCase,
  datagramGrid,
  readDatagramOracle,
  titleOfDatagrams,
} from '../support/datagram-oracle.js';
import { tenAddresses } from '../support/lab.js';

const kernel = parseKernelVersion(release());
const table = readDatagramOracle();
const grid = datagramGrid();
const keyOf = ({ family, strategy, peer, options, addresses, destinations }: DatagramCase) =>
  JSON.stringify([family, strategy, peer, options, addresses, destinations]);

test('the table is whole, and lies in the grid', () => {
  assert.equal(table.length, 407);
  assert.equal(grid.length, 462);
  const all = new Set(grid.map(keyOf));
  for (const row of table) assert.ok(all.has(keyOf(row)), titleOfDatagrams(row));
});

async function ask(family: 4 | 6, cases: readonly DatagramCase[]): Promise<DatagramAnswer[]> {
  const driver = fileURLToPath(new URL('../support/datagram-driver.js', import.meta.url));
  const command = netnsCommand([process.execPath, driver], process.getuid?.() === 0);
  const addresses = family === 4 ? tenAddresses(3) : ['fd00:50::1', 'fd00:50::2', 'fd00:50::3'];
  const input: DatagramInput = { where: 'lab', addresses, cases };
  const { stdout } = await execa(command[0]!, command.slice(1), { input: `${JSON.stringify(input)}\n` });
  return stdout.split('\n').map((line) => JSON.parse(line) as DatagramAnswer);
}

for (const family of [4, 6] as const) {
  const cases = grid.filter((each) => each.family === family);
  describe(`IPv${family}`, { skip: family === 6 && !hasIpv6() && 'no IPv6 here' }, () => {
    test(`${cases.length} cases`, async (t) => {
      const answers = await ask(family, cases);
      assert.equal(answers.length, cases.length);
      const measured = new Map(table.map((row) => [keyOf(row), row]));
      for (const [i, one] of cases.entries())
        await t.test(titleOfDatagrams(one), () => {
          const { outcomes, ports } = answers[i]!;
          const { concurrent, unbounded, fails } = predict(datagramInput(one, kernel));
          const attempts = attemptsOf(one);
          const ok = unbounded ? attempts : Math.min(attempts, concurrent!);
          assert.deepEqual(outcomes, { ok, ...(attempts > ok && { [fails]: attempts - ok }) });
          // Sockets that share ports draw them blindly, and may leave one out.
          if (unbounded) assert.ok(ports <= 20 * one.addresses, `${ports} ports`);
          else assert.equal(ports, ok);
          const row = measured.get(keyOf(one));
          if (row === undefined) return;
          assert.equal(row.refused, unbounded ? null : fails);
          if (row.refused !== null) assert.equal(row.most, ok);
        });
    });
  });
}
