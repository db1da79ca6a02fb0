/**
 * How long a run must last to tell what a sysctl that is about time does: a value of 5 s cannot show itself in a run of 0.25 s, whatever
 * came out of it. And where the kernel's rule says that it never acts on ports, that rule. Pure.
 */
import { strategyOf } from '../domain/strategy.js';
import type { Arm } from '../plan/plan.js';
import type { KernelVersion } from './kernel-version.js';
import { inputOf, type PredictInput } from './predict-input.js';
import { reuseActs, reuseDelaySeconds } from './time-wait.js';

/** What an arm's change of one sysctl takes to show itself. */
export interface TimeToTell {
  readonly sysctl: string;
  readonly value: string;
  /** From the first close of a connection to the last attempt, at the least. */
  readonly seconds: number;
  /** The kernel's rule by which it makes no difference to ports however long a run is, as a clause; null: it may make one. */
  readonly never: string | null;
}

interface Context {
  readonly arm: Arm;
  readonly input: PredictInput;
  readonly sysctls: Readonly<Record<string, string>>;
}

interface Rule {
  readonly covers: RegExp;
  /** The kernel's default, where a lab did not read it. */
  readonly usual: string;
  /** Seconds after a close from which a value shows; null: it never shows. */
  readonly seconds: (value: string, context: Context) => number | null;
  readonly never: (context: Context) => string | null;
}

const ASKED_BY_CONNECT = 'bind() does not look at it, and here bind() or the program chooses the port';

const OF_TCP =
  'it is about connections of TCP or about packets, and a UDP port is free as soon as its socket is closed';

function connects({ input }: Context): boolean {
  return strategyOf(input.strategy).port === 'connect';
}

/** Nobody here has SO_KEEPALIVE, or what holds the ports is closed. tcp_keepalive_timer(), net/ipv4/tcp_timer.c. */
function keepaliveNever({ arm }: Context): string | null {
  return arm.load.holdMs === null && arm.proxy !== undefined
    ? null
    : 'it acts on open connections with SO_KEEPALIVE only, and what holds the ports here is closed or has none';
}

const RULES: readonly Rule[] = [
  {
    covers: /^net\.ipv4\.tcp_fin_timeout$/,
    usual: '60',
    // Above TCP_TIMEWAIT_LEN the rest is waited for twice (time-wait.ts).
    seconds: (value) => (Number(value) > 60 ? 2 * (Number(value) - 60) : Number(value)),
    never: ({ arm }) =>
      arm.load.sink === 'accept' && arm.destinations.kind === 'lab'
        ? 'it is the time in FIN_WAIT2, which the other side ends here by closing at once, and TIME_WAIT is a constant of 60 s (TCP_TIMEWAIT_LEN)'
        : null,
  },
  {
    covers: /^net\.ipv4\.tcp_tw_reuse$/,
    usual: '2',
    seconds: (value, { input }) =>
      reuseActs({ ...input, twReuse: value === '0' ? 0 : value === '2' ? 2 : 1 }) ? reuseDelaySeconds(input) : null,
    never: (context) => {
      if (!connects(context)) return ASKED_BY_CONNECT;
      return context.input.timestamps ? null : 'without TCP timestamps nothing is reused';
    },
  },
  {
    covers: /^net\.ipv4\.tcp_tw_reuse_delay$/,
    usual: '1000',
    seconds: (value) => Number(value) / 1000,
    never: (context) => {
      if (!connects(context)) return ASKED_BY_CONNECT;
      return reuseActs(context.input) ? null : 'tcp_tw_reuse does not act here';
    },
  },
  {
    covers: /^net\.ipv4\.tcp_tw_recycle$/,
    usual: '0',
    // 3.5 retransmission timeouts (tcp_time_wait()).
    seconds: (value, { input }) => (value === '0' ? null : (3.5 * input.rtoMs) / 1000),
    never: () => null,
  },
  {
    covers: /^net\.netfilter\.nf_conntrack_\w*timeout\w*$/,
    usual: '120',
    seconds: (value) => Number(value),
    never: () => 'connection tracking decides whether a packet passes, not which local port is free',
  },
  {
    covers: /^net\.ipv4\.tcp_keepalive_time$/,
    usual: '7200',
    seconds: (value) => Number(value),
    never: keepaliveNever,
  },
  {
    // They follow on the first probe.
    covers: /^net\.ipv4\.tcp_keepalive_(?:intvl|probes)$/,
    usual: '75',
    seconds: (_, { sysctls }) => Number(sysctls['net.ipv4.tcp_keepalive_time'] ?? 7200),
    never: keepaliveNever,
  },
];

/**
 * The time-dependent sysctls in which an arm differs from the baseline. Two values differ from the earlier of their times on.
 * @param defaults sysctls as read in a fresh lab, name → value
 */
export function timesToTell(
  arm: Arm,
  baseline: Arm,
  kernel: KernelVersion,
  defaults: Readonly<Record<string, string>>,
): TimeToTell[] {
  const sysctls = { ...defaults, ...arm.sysctls };
  const context: Context = { arm, input: inputOf(arm, kernel, defaults), sysctls };
  return Object.entries(arm.sysctls).flatMap(([sysctl, value]) => {
    const rule = RULES.find(({ covers }) => covers.test(sysctl));
    if (rule === undefined) return [];
    const before = baseline.sysctls[sysctl] ?? defaults[sysctl] ?? rule.usual;
    const seconds = [value, before].map((each) => rule.seconds(each, context)).filter((each) => each !== null);
    if (value === before || seconds.length === 0) return [];
    const never = context.input.datagram !== null ? OF_TCP : rule.never(context);
    return [{ sysctl, value, seconds: Math.min(...seconds), never }];
  });
}

/** Seconds of a run from the first close to the last attempt: 0 where everything is held to the end. @param loadMs of the load */
export function tellingSeconds({ load }: Pick<Arm, 'load'>, loadMs: number): number {
  const { arrival, holdMs } = load;
  if (holdMs !== null) return Math.max(0, loadMs - holdMs) / 1000;
  // What is held is closed at the end of its wave.
  return arrival.shape === 'fill' ? ((arrival.waves - 1) * arrival.pauseMs) / 1000 : 0;
}
