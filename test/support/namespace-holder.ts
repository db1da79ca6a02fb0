/**
 * Keeps a network namespace alive for a test, with its loopback device up, until standard input ends.
 */
import { openRouteControl } from '../../src/kernel/rtnetlink.js';

const control = openRouteControl();
control.linkUp('lo');
control.close();
process.stdout.write('ready\n');
process.stdin.on('end', () => process.exit(0)).resume();
