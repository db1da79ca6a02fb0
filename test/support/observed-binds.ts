/**
 * A program for a network and mount namespace of its own: makes calls that fail while they are observed by eBPF, and says as JSON
 * what was counted. Its argument is how often.
 */

import { countStrace } from '../../src/explain/strace-count.js';
import { AF_INET, bind, nativeBuffer } from '../../src/kernel/libc.js';
import { startObservation } from '../../src/subjects/running/observe.js';

const times = Number(process.argv[2]);
const observation = await startObservation('ebpf', '/nowhere', true, countStrace);
if (typeof observation === 'string') throw new Error(observation);
const address = nativeBuffer(16);
address.view.setUint16(0, AF_INET, true);
// No descriptor: EBADF, on every kernel and whatever the network.
for (let i = 0; i < times; i++) bind(-1, address.address, 16);
const found = await observation.finish();
process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit());
