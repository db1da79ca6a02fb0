/**
 * What the arithmetic says of a fleet, in words. Pure.
 */
import { counted, formatSustained } from '../analysis/format.js';
import type { FleetAnswer, FleetQuestion } from '../capacity/fleet.js';
import { formatDuration, formatLeft } from '../domain/format.js';
import { grouped } from '../domain/grouped.js';
import { wrap } from './wrap.js';

/** The answer as text for a terminal. @param width in columns */
export function renderFleetCapacity({ set, matrix }: FleetQuestion, answer: FleetAnswer, width: number): string {
  const paragraph = (title: string, text: string) =>
    wrap(text, width - 12).map((line, i) => `${i === 0 ? `${title}:`.padEnd(12) : ' '.repeat(12)}${line}`);
  const { each, needed, there } = answer;
  return `${[
    `On paper: agents that load one target together, each with ${counted(set.addresses, 'address')} of its own, ${set.strategy}, on Linux ${set.kernel.release}`,
    '',
    ...paragraph('An agent', agentText(each)),
    ...(needed ? paragraph('Needed', neededText(needed)) : []),
    ...(there
      ? paragraph(
          counted(there.agents, 'agent'),
          `${formatSustained(there.rate)}, limited by ${there.limitedBy === 'ports' ? 'the ports of their addresses' : 'what an agent starts'}.`,
        )
      : []),
    ...(answer.matrix && matrix
      ? [
          '',
          `${counted(matrix.units, 'unit')} of ${formatDuration(matrix.unitMs)}, of which an agent makes one at a time:`,
          ...answer.matrix.map(
            ({ agents, ms, speedup }) =>
              `  ${counted(agents, 'agent').padEnd(12)}${formatLeft(ms).padEnd(10)}× ${Number(speedup.toFixed(2))}`,
          ),
        ]
      : []),
    '',
    ...paragraph(
      'Beware',
      'what the target and the network between can take is not counted: agents can start more than a target accepts, and a run says so.',
    ),
  ].join('\n')}\n`;
}

function agentText({ starts, source, ports, portsKnown, full }: FleetAnswer['each']): string {
  const figure =
    source === 'given'
      ? `starts ${formatSustained(starts)}, as you say`
      : `starts ${formatSustained(starts)}, as one worker does on the machine of bench/README.md; measure yours, and give --agent-rate`;
  if (!portsKnown) return `${figure}; of its ports there is no closed form.`;
  if (ports === null) return `${figure}; its ports do not limit the rate.`;
  const most = full.tuples === null ? '' : ` (${grouped(full.tuples)} at once)`;
  return `${figure}; its ports sustain ${formatSustained(ports)}${most}.`;
}

function neededText({
  rate,
  agents,
  byStarts,
  byPorts,
  limitedBy,
  addresses,
  share,
}: NonNullable<FleetAnswer['needed']>): string {
  if (agents === null) return `no number of agents sustains ${formatSustained(rate)}: an agent has no port.`;
  const why = `${grouped(byStarts)} by what an agent starts, ${grouped(byPorts!)} by ports`;
  const more =
    limitedBy === 'ports'
      ? ' More addresses for each agent, or a close that keeps no TIME_WAIT, take fewer agents.'
      : '';
  return `${counted(agents, 'agent')} for ${formatSustained(rate)} (${why}), ${counted(addresses!, 'address')} in all, ${formatSustained(share!)} each.${more}`;
}
