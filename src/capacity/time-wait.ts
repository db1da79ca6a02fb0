/**
 * How long a closed connection keeps its tuple from the next one: tcp_twsk_unique() (net/ipv4/tcp_ipv4.c) and
 * tcp_time_wait() (net/ipv4/tcp_minisocks.c). Pure.
 */
import { strategyOf } from '../domain/strategy.js';
import type { Ceiling } from './ceiling.js';
import { endsTimeWaitInSlots, hasTwRecycle } from './kernel-changes.js';
import { atLeast } from './kernel-version.js';
import type { PredictInput } from './predict-input.js';

export { TIME_WAIT_SECONDS } from './predict-input.js';

export interface AfterClose {
  /** Seconds from the close until the tuple serves again; 0: at once. Null where there is no closed form. */
  readonly seconds: number | null;
  /** A clause without a final stop. */
  readonly why: string;
}

/** The time after the close of one connection. What `tcp_max_tw_buckets` cuts off is `predict`'s to add. */
export function afterClose(input: PredictInput, { takesOver }: Pick<Ceiling, 'takesOver'>): AfterClose {
  if (input.close === 'reset') return { seconds: 0, why: 'a close with RST leaves no TIME_WAIT' };
  if (input.close === 'server')
    return { seconds: 0, why: 'the server closes first, so the TIME_WAIT is at the server' };
  if (takesOver !== 'no' && input.timestamps)
    return {
      seconds: 0,
      why: 'a port that is bound before connect() takes over a TIME_WAIT at once, by TCP timestamps',
    };
  const reuse = strategyOf(input.strategy).port === 'connect' && reuseActs(input);
  if (input.finTimeoutMs !== null) return inFinWait2(input, input.finTimeoutMs / 1000, reuse);
  const recycled = recycleSeconds(input);
  if (reuse && !(recycled !== null && recycled <= reuseDelaySeconds(input)))
    return { seconds: reuseDelaySeconds(input), why: `tcp_tw_reuse frees a port ${delayText(input)} after our close` };
  if (recycled !== null)
    return {
      seconds: recycled,
      why: `tcp_tw_recycle ends TIME_WAIT after 3.5 retransmission timeouts (${recycled} s), and drops connections of clients behind NAT`,
    };
  const slots = endsTimeWaitInSlots(input.kernel) ? ', which ends in batches every 7.5 s' : '';
  return {
    seconds: input.timeWaitSeconds,
    why: `our close leaves ${input.timeWaitSeconds} s of TIME_WAIT${slots}${whyNotReused(input)}`,
  };
}

/** The seconds that tcp_tw_recycle leaves of TIME_WAIT (tcp_time_wait()); null where it does not act. */
function recycleSeconds({ kernel, twRecycle, timestamps, rtoMs }: PredictInput): number | null {
  return twRecycle && timestamps && hasTwRecycle(kernel) ? (3.5 * rtoMs) / 1000 : null;
}

/** Whether `tcp_tw_reuse` acts for a connect() that chooses its port. Before 4.18 every value but 0 was on. */
export function reuseActs({ twReuse, timestamps, loopback, kernel }: PredictInput): boolean {
  if (twReuse === 0 || !timestamps) return false;
  return twReuse === 1 || loopback || !atLeast(kernel, '4.18');
}

/**
 * The seconds of TIME_WAIT that `tcp_tw_reuse` waits for. Before 6.14 a clock of whole seconds had to tick once (4.19), or
 * twice (older), so that each tick frees all that the tick before used.
 */
function reuseDelaySeconds({ kernel, twReuseDelayMs }: PredictInput): number {
  if (atLeast(kernel, '6.14')) return twReuseDelayMs / 1000;
  return atLeast(kernel, '4.19') ? 1 : 2;
}

function delayText(input: PredictInput): string {
  const seconds = reuseDelaySeconds(input);
  return atLeast(input.kernel, '6.14')
    ? `${seconds} s`
    : `at the next${seconds === 2 ? ' but one' : ''} tick of a clock of seconds`;
}

/** The peer never closes: tcp_fin_timeout ends FIN_WAIT2, and no TIME_WAIT follows. */
function inFinWait2(input: PredictInput, finTimeout: number, reuse: boolean): AfterClose {
  if (reuse && !atLeast(input.kernel, '6.12')) {
    return {
      seconds: null,
      why: 'the peer never closes, and whether tcp_tw_reuse takes a port in FIN_WAIT2 depends on the stable release (0d9e5df4a257, 6.12), so there is no closed form',
    };
  }
  return {
    seconds: finTimeout,
    why: `the peer never closes, so tcp_fin_timeout frees the port ${finTimeout} s after our close`,
  };
}

function whyNotReused(input: PredictInput): string {
  if (input.twReuse === 0) return '';
  if (!input.timestamps) return ', and without TCP timestamps nothing reuses it';
  return strategyOf(input.strategy).port === 'connect'
    ? ', and tcp_tw_reuse=2 acts on loopback addresses only'
    : ', and bind() does not look at tcp_tw_reuse';
}
