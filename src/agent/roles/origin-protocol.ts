/**
 * What the agent tells its origin process, and what comes back. Both are the same build of this package, one pipe apart, so the
 * messages are typed and not validated: loading the schema library would double the origin's start.
 */

import type { Target } from '../../domain/target.js';
import type { Certificate } from '../../load/origin/certificate.js';
import type { SinkPlan } from '../../load/origin/sink-listen.js';

export type OriginCommand =
  | {
      readonly type: 'serve';
      readonly network: 'veth' | 'shared';
      readonly family: 4 | 6;
      readonly listen: readonly Target[];
      readonly plan: SinkPlan;
      /** How many threads accept; one unless more connections are held than one may have descriptors. */
      readonly threads: number;
      /** What the hosts that neighbours talk to do. */
      readonly neighbours?: readonly { readonly listen: readonly Target[]; readonly plan: SinkPlan }[];
      /** With TLS: what the origin shows. */
      readonly certificate?: Certificate;
      /** Sysctls that the profile gives this role; only in a namespace of its own. */
      readonly sysctls?: Readonly<Record<string, string>>;
    }
  | { readonly type: 'stats' };

export type OriginEvent =
  | { readonly type: 'ready' }
  | { readonly type: 'listening'; readonly sysctls: Record<string, string> }
  | {
      readonly type: 'stats';
      readonly accepted: number;
      readonly refused: number;
      /** TcpExt.ListenOverflows of the origin's namespace; null where the namespace is shared. */
      readonly listenOverflows: number | null;
      /** TcpExt.PAWSPassive there: SYNs dropped for their old timestamps; null likewise, and since 4.12 with tcp_tw_recycle. */
      readonly pawsPassive: number | null;
      /** CPU seconds since the process began. */
      readonly cpu: { readonly user: number; readonly system: number };
    }
  | { readonly type: 'failed'; readonly message: string };
