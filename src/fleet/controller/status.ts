/**
 * What a fleet does now.
 */
import type { Bus } from '../bus.js';
import { decoded } from '../messages.js';
import { type AgentState, jobSchema } from '../protocol.js';
import { consumerName, STREAMS, SUBJECTS } from '../subjects.js';
import { whoIsThere } from './roster.js';

export interface FleetStatus {
  readonly agents: readonly (AgentState & { readonly clockAheadMs: number })[];
  readonly strangers: readonly { readonly name: string; readonly host: string; readonly why: string }[];
  readonly experiments: readonly {
    readonly experiment: string;
    /** As messages call it; null: it was killed, or has lost its server. */
    readonly controller: string | null;
    /** Units that nobody has finished, those with agents included. */
    readonly left: number;
    readonly underWay: number;
  }[];
}

/** Look once. Rejects where the server does not answer. */
export async function statusOf(bus: Bus): Promise<FleetStatus> {
  const seen = await whoIsThere(bus);
  const jobs = (await bus.all(STREAMS.jobs, SUBJECTS.job('*'))).flatMap(({ data }) => decoded(data, jobSchema) ?? []);
  const open = jobs.filter(({ state }) => state === 'open');
  return {
    agents: seen.flatMap((one) => (one.kind === 'agent' ? [{ ...one.state, clockAheadMs: one.clockAheadMs }] : [])),
    strangers: seen.flatMap((one) =>
      one.kind === 'stranger' ? [{ name: one.state.name, host: one.state.host, why: one.why }] : [],
    ),
    experiments: await Promise.all(
      open.map(async ({ experiment, controller, queues }) => {
        const lease = await bus.last(STREAMS.leases, SUBJECTS.lease(experiment));
        const counts = await Promise.all(queues.map(({ name }) => unitsIn(bus, experiment, name)));
        return {
          experiment,
          controller: lease === null ? null : controller,
          left: counts.reduce((sum, { left }) => sum + left, 0),
          underWay: counts.reduce((sum, { underWay }) => sum + underWay, 0),
        };
      }),
    ),
  };
}

async function unitsIn(bus: Bus, experiment: string, queue: string) {
  const info = await bus.manage.consumers.info(STREAMS.work, consumerName(experiment, queue)).catch(() => null);
  const underWay = info?.num_ack_pending ?? 0;
  return { left: (info?.num_pending ?? 0) + underWay, underWay };
}
