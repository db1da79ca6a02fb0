/**
 * The program of a neighbour: another program than the one under test, with a small load or as a service that restarts, in the namespace that it
 * is told to be in.
 */
import '../../machine/no-debugger.js';
import { enterNamespace } from '../../kernel/namespace.js';
import { totalOf } from '../../load/outcome.js';
import { createPool, type Pool } from '../../load/pool.js';
import { createService, type Service } from '../../load/service.js';
import type { PartRun } from '../../results/figures.js';
import { partOf } from '../measure.js';
import { DESCRIPTOR_RESERVE, descriptorLimit } from '../place/limits.js';
import type { NeighbourProtocol } from './neighbour-protocol.js';
import { serveRole } from './serve.js';

/** What it does. */
interface Part extends Pick<Service, 'drained' | 'stop'> {
  start(leadMicros: number): void;
  finish(): Promise<Omit<PartRun, 'name'>>;
}

let part: Part | undefined;

function ofPool(pool: Pool): Part {
  return {
    start: (leadMicros) => void pool.start(leadMicros),
    drained: pool.drained,
    stop: pool.stop,
    async finish() {
      const { name: _, ...figures } = partOf('', await pool.finish());
      return figures;
    },
  };
}

function ofService({ finish, ...service }: Service): Part {
  return {
    ...service,
    async finish() {
      const outcomes = finish();
      return { attempts: totalOf(outcomes), outcomes, latency: {}, listens: true };
    },
  };
}

void serveRole<NeighbourProtocol>({
  async prepare({ namespace, input, service }) {
    // Before the workers begin: a thread is where the one that started it was.
    if (namespace !== null) enterNamespace(namespace);
    part = service
      ? ofService(createService(service))
      : ofPool(
          await createPool({
            ...input,
            descriptorLimit: descriptorLimit(),
            descriptorReserve: DESCRIPTOR_RESERVE,
          }),
        );
    return {};
  },
  async start({ leadMicros }) {
    part!.start(leadMicros);
    await part!.drained;
    return {};
  },
  stop() {
    part!.stop();
    return {};
  },
  finish: () => part!.finish(),
});
