/**
 * The program of a neighbour: another program than the one under test, with a small load, in the namespace that it is told to be in.
 */
import '../../machine/no-debugger.js';
import { enterNamespace } from '../../kernel/namespace.js';
import { createPool, type Pool } from '../../load/pool.js';
import { partOf } from '../measure.js';
import { DESCRIPTOR_RESERVE, descriptorLimit } from '../place/limits.js';
import type { NeighbourProtocol } from './neighbour-protocol.js';
import { serveRole } from './serve.js';

let pool: Pool | undefined;

await serveRole<NeighbourProtocol>({
  async prepare({ namespace, input }) {
    // Before the workers begin: a thread is where the one that started it was.
    if (namespace !== null) enterNamespace(namespace);
    pool = await createPool({ ...input, descriptorLimit: descriptorLimit(), descriptorReserve: DESCRIPTOR_RESERVE });
    return {};
  },
  async start({ leadMicros }) {
    pool!.start(leadMicros);
    await pool!.drained;
    return {};
  },
  stop() {
    pool!.stop();
    return {};
  },
  async finish() {
    const { name: _, ...part } = partOf('', await pool!.finish());
    return part;
  },
});
