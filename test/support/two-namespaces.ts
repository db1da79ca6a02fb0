/**
 * A program for a network namespace that may be changed: looks from there into a second one, and says as JSON what it found.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { withNamespace } from '../../src/kernel/namespace.js';
import { reachMachine, readSysctl, writeSysctl } from '../../src/kernel/sysctl.js';

const RANGE = 'net.ipv4.ip_local_port_range';
const holder = spawn(
  'unshare',
  ['--net', '--', process.execPath, fileURLToPath(new URL('./namespace-holder.js', import.meta.url))],
  { stdio: ['pipe', 'pipe', 'inherit'] },
);
await once(holder.stdout, 'data');
const other = `/proc/${holder.pid}/ns/net`;
const value = () => {
  const result = readSysctl(RANGE);
  return result.ok ? result.value : result.errno;
};
const failure = (work: () => unknown) => {
  try {
    work();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
};

writeSysctl(RANGE, '40000 40099');
withNamespace(other, () => writeSysctl(RANGE, '50000 50099'));
const found = {
  own: value(),
  there: withNamespace(other, value),
  thrown: failure(() =>
    withNamespace(other, () => {
      throw new Error(`in ${value()}`);
    }),
  ),
  refused: failure(() => withNamespace('/proc/self/ns/uts', value)),
  after: value(),
};
reachMachine(other);
const reaching = { reaching: value(), absent: readSysctl('net.ipv4.no_such_key') };
// Root may look into the namespace that the test is in.
const [first] = process.argv.slice(2);
if (first !== undefined) reachMachine(first);
const machine = readSysctl('net.core.netdev_max_backlog');
process.stdout.write(`${JSON.stringify({ ...found, ...reaching, machine })}\n`);
holder.stdin.end();
