/**
 * What if a program set other options on its sockets before it binds them? The lab does it for the unmodified program: each bind() waits
 * until the socket was changed (kernel/seccomp.ts). Pure.
 */
import { z } from 'zod';
import { optional, type Setting } from '../../domain/setting.js';
import { type StrategyName, strategyOf } from '../../domain/strategy.js';
import { map, portRange } from '../../domain/values.js';

const OFF = z.literal('off').optional();

const whatIfSchema = z.object({
  bind: z.literal('no-port').optional(),
  reuseaddr: OFF,
  portRange: portRange.kept.optional(),
});
export type WhatIf = z.infer<typeof whatIfSchema>;

function text({ bind, reuseaddr, portRange: range }: WhatIf): string {
  const parts = [
    ...(bind ? [`bind ${bind}`] : []),
    ...(reuseaddr ? [`reuseaddr ${reuseaddr}`] : []),
    ...(range ? [`portRange ${portRange.text(range)}`] : []),
  ];
  return parts.join(', ') || 'none';
}

/** Of every subject that the lab starts as a program. */
export const WHAT_IF: Setting<WhatIf | undefined> = optional(
  {
    written: map({
      bind: z
        .literal('no-port')
        .optional()
        .meta({ description: 'IP_BIND_ADDRESS_NO_PORT, so that connect() chooses the port', example: 'bind: no-port' }),
      reuseaddr: OFF.meta({ description: 'SO_REUSEADDR is taken away', example: 'reuseaddr: off' }),
      portRange: portRange.written
        .optional()
        .meta({ description: 'IP_LOCAL_PORT_RANGE of the socket, Linux 6.3', example: 'portRange: 40000-40999' }),
    }),
    kept: whatIfSchema,
    text,
    words: text,
  },
  {
    defaultText: 'none',
    describe:
      'what if the program, unmodified, set other options on a TCP socket before it binds it to port 0 (seccomp_unotify(2)); none of it needs root',
    example: '{ bind: no-port }',
  },
);

/** The strategy that a program's own becomes; one that it has no name for stays as it is. */
export function strategyUnder(own: StrategyName, whatIf: WhatIf | undefined): StrategyName {
  if (whatIf === undefined || strategyOf(own).address !== 'chosen') return own;
  const isNoPort = whatIf.bind !== undefined || own.startsWith('bind-no-port');
  const keepsReuse = whatIf.reuseaddr === undefined;
  if (whatIf.portRange) return isNoPort ? 'local-port-range' : own;
  switch (own) {
    case 'bind':
      return isNoPort ? 'bind-no-port' : own;
    case 'bind-reuseaddr':
    case 'bind-no-port-reuseaddr':
      return isNoPort ? (keepsReuse ? 'bind-no-port-reuseaddr' : 'bind-no-port') : keepsReuse ? own : 'bind';
    default:
      return own;
  }
}

/** The first kernel that lets somebody else change the socket of a call (pidfd_getfd(2)). */
const SINCE = '5.6';

/** What of a what-if a kernel may lack, each with the first that has it. */
export function whatIfNeeds({ portRange }: WhatIf): { readonly what: string; readonly since: string }[] {
  return [
    { what: 'whatIf', since: SINCE },
    ...(portRange ? [{ what: 'whatIf.portRange', since: strategyOf('local-port-range').since! }] : []),
  ];
}
