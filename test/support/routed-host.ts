/**
 * Keeps a network namespace alive for a test that has a way out, as a machine has: default routes of both families to a second namespace,
 * in which nobody answers. Until standard input ends.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { withNamespace } from '../../src/kernel/namespace.js';
import { openRouteControl } from '../../src/kernel/rtnetlink.js';
import { writeSysctl } from '../../src/kernel/sysctl.js';

const [here, far] = ['02:00:00:00:77:01', '02:00:00:00:77:02'];
/** What a machine of this address would say by itself: neighbours and routers are not asked for. */
for (const [name, value] of [
  ...['accept_dad', 'dad_transmits', 'router_solicitations', 'accept_ra'].map((quiet) => [quiet, '0'] as const),
  // No link-local address; and the groups that it is in are reported at once, in milliseconds.
  ...[['addr_gen_mode', '1'] as const, ['mldv2_unsolicited_report_interval', '1'] as const],
] as const)
  writeSysctl(`net.ipv6.conf.default.${name}`, value);
const other = spawn(
  'unshare',
  ['--net', '--', process.execPath, fileURLToPath(new URL('./namespace-holder.js', import.meta.url))],
  { stdio: ['pipe', 'pipe', 'inherit'] },
);
await once(other.stdout, 'data');
const control = openRouteControl();
control.linkUp('lo');
control.addVeth('out', here, 'far', far, other.pid!);
control.addAddress('out', '10.77.0.2', 24);
control.addAddress('out', 'fd77::2', 64);
control.linkUp('out');
for (const [any, gateway] of [
  ['0.0.0.0', '10.77.0.1'],
  ['::', 'fd77::1'],
] as const) {
  control.addNeighbour('out', gateway, far);
  control.addRoute(any, 0, gateway, 'out');
}
control.close();
withNamespace(`/proc/${other.pid}/ns/net`, () => {
  const there = openRouteControl();
  there.linkUp('far');
  there.close();
});
await wait(500);
process.stdout.write('ready\n');
process.stdin
  .on('end', () => {
    other.stdin.end();
    process.exit(0);
  })
  .resume();
