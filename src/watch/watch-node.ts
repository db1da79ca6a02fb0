/**
 * Every network namespace of this machine as something to watch; a file of its own, because a look at one namespace does not need it.
 */
import type { PortRange } from '../domain/units.js';
import { renderNodeMetrics } from '../gauge/metrics.js';
import type { NodeLook } from '../gauge/node-look.js';
import { renderNodeLine, renderNodeTable } from '../gauge/node-table.js';
import { openNode } from './node.js';
import type { ObserverOptions } from './observer.js';
import type { Watched } from './watched.js';

/**
 * All namespaces that this user may enter. Looks reject with a UserError where there is none.
 * @param natPorts of one NAT address, which the rules of NATs name
 * @param failures whether refused calls are counted too
 */
export async function watchNode(
  options: ObserverOptions,
  natPorts: PortRange,
  failures: boolean,
): Promise<Watched<NodeLook>> {
  const node = openNode(options, natPorts);
  const count = failures ? await (await import('./failures.js')).countFailures(null) : null;
  return {
    async look() {
      const look = await node.look();
      return count === null ? look : { ...look, refused: await count.read(node.within) };
    },
    close() {
      count?.close();
      node.close();
    },
    rendering: { table: renderNodeTable, line: renderNodeLine },
    metrics: renderNodeMetrics,
    hasEnded: () => false,
  };
}
