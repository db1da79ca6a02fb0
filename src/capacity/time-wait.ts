/**
 * How long a closed connection keeps its tuple from the next one: tcp_twsk_unique() (net/ipv4/tcp_ipv4.c) and
 * tcp_time_wait() (net/ipv4/tcp_minisocks.c). Pure.
 */
import { strategyOf } from '../domain/strategy.js';
import type { Ceiling } from './ceiling-row.js';
import { endsTimeWaitInSlots, hasTwRecycle } from './kernel-changes.js';
import { atLeast } from './kernel-version.js';
import { type PredictInput, TIME_WAIT_SECONDS } from './predict-input.js';
import { timerTick } from './timer-wheel.js';

export { TIME_WAIT_LATEST_SECONDS, TIME_WAIT_SECONDS } from './predict-input.js';

export interface AfterClose {
  /** Seconds from the close until the tuple serves again, at the earliest; 0: at once. Null where there is no closed form. */
  readonly seconds: number | null;
  /** The same at the latest, as a timer rounds up: what a sustained rate must reckon with. */
  readonly latest: number | null;
  /** A clause without a final stop. */
  readonly why: string;
}

/** The time after the close of one connection. What `tcp_max_tw_buckets` cuts off is `predict`'s to add. */
export function afterClose(input: PredictInput, { takesOver }: Pick<Ceiling, 'takesOver'>): AfterClose {
  if (input.datagram !== null)
    return { ...exactly(0), why: 'UDP has no TIME_WAIT, so a port is free as soon as its socket is closed' };
  if (input.close === 'unknown')
    return { seconds: null, latest: null, why: 'who closes first is not known, so there is no sustained rate' };
  if (input.close === 'kept')
    return { ...exactly(0), why: 'connections are kept and used again, so a request does not take a port of its own' };
  if (input.close === 'reset') return { ...exactly(0), why: 'a close with RST leaves no TIME_WAIT' };
  if (input.close === 'server')
    return { ...exactly(0), why: 'the server closes first, so the TIME_WAIT is at the server' };
  if (takesOver !== 'no' && input.timestamps)
    return {
      ...exactly(0),
      why: 'a port that is bound before connect() takes over a TIME_WAIT at once, by TCP timestamps',
    };
  const reuse = strategyOf(input.strategy).port === 'connect' && reuseActs(input);
  if (input.finTimeoutMs !== null) return inFinWait2(input, input.finTimeoutMs / 1000, reuse);
  const recycled = recycleSeconds(input);
  if (reuse && !(recycled !== null && recycled <= reuseDelaySeconds(input)))
    return {
      ...exactly(reuseDelaySeconds(input)),
      why: `tcp_tw_reuse frees a port ${delayText(input)} after our close`,
    };
  if (recycled !== null)
    return {
      ...byTimer(recycled, input),
      why: `tcp_tw_recycle ends TIME_WAIT after 3.5 retransmission timeouts (${recycled} s), and drops connections of clients behind NAT`,
    };
  const slots = endsTimeWaitInSlots(input.kernel) ? ', which ends in batches every 7.5 s' : '';
  const lasting = byTimer(input.timeWaitSeconds, input);
  return {
    ...lasting,
    why: `our close leaves ${spanText(lasting)} of TIME_WAIT${slots}${whyLate(input)}${whyNotReused(input)}`,
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
export function reuseDelaySeconds({ kernel, twReuseDelayMs }: PredictInput): number {
  if (atLeast(kernel, '6.14')) return twReuseDelayMs / 1000;
  return atLeast(kernel, '4.19') ? 1 : 2;
}

function delayText(input: PredictInput): string {
  const seconds = reuseDelaySeconds(input);
  return atLeast(input.kernel, '6.14')
    ? `${seconds} s`
    : `at the next${seconds === 2 ? ' but one' : ''} tick of a clock of seconds`;
}

/** No timer has a part in it. */
function exactly(seconds: number): { readonly seconds: number; readonly latest: number } {
  return { seconds, latest: seconds };
}

/** Ended by a timer, which may be late. */
function byTimer(seconds: number, { kernel }: PredictInput): { readonly seconds: number; readonly latest: number } {
  return { seconds, latest: seconds + timerTick(seconds, kernel) };
}

/** `60 to 62.05 s`; rounded up, since what is said must hold. */
function spanText({ seconds, latest }: { readonly seconds: number; readonly latest: number }): string {
  const end = Math.ceil(latest * 100 - 1e-6) / 100;
  return end === seconds ? `${seconds} s` : `${seconds} to ${end} s`;
}

/** Why the end of TIME_WAIT is a span. */
function whyLate({ kernel }: PredictInput): string {
  if (timerTick(TIME_WAIT_SECONDS, kernel) === 0) return '';
  return kernel.hz === null
    ? ' (its timer rounds up, by how much depends on CONFIG_HZ, whose value is unknown here: this is the maximum)'
    : ` (its timer rounds up, HZ=${kernel.hz})`;
}

/**
 * The peer never closes: tcp_fin_timeout ends FIN_WAIT2, and no TIME_WAIT follows. Above 60 s a socket waits for the part beyond 60 s as
 * an orphan, and then for as long again as a time-wait socket: 61 frees a port after 2 s, 65 after 10 s (tcp_fin_time() and
 * TCP_TIMEWAIT_LEN in tcp_rcv_state_process(), net/ipv4/tcp_input.c; measured on 6.18.44).
 */
function inFinWait2(input: PredictInput, finTimeout: number, reuse: boolean): AfterClose {
  if (reuse && !atLeast(input.kernel, '6.12')) {
    return {
      seconds: null,
      latest: null,
      why: 'the peer never closes, and whether tcp_tw_reuse takes a port in FIN_WAIT2 depends on the stable release (0d9e5df4a257, 6.12), so there is no closed form',
    };
  }
  const part = finTimeout > TIME_WAIT_SECONDS ? finTimeout - TIME_WAIT_SECONDS : finTimeout;
  const one = byTimer(part, input);
  const lasting = part === finTimeout ? one : { seconds: 2 * part, latest: 2 * one.latest };
  const above =
    part === finTimeout ? '' : `, twice what tcp_fin_timeout (${finTimeout} s) is above ${TIME_WAIT_SECONDS} s`;
  return {
    ...lasting,
    why: `the peer never closes, so tcp_fin_timeout frees the port ${spanText(lasting)} after our close${above}`,
  };
}

function whyNotReused(input: PredictInput): string {
  if (input.twReuse === 0) return '';
  if (!input.timestamps) return ', and without TCP timestamps nothing reuses it';
  return strategyOf(input.strategy).port === 'connect'
    ? ', and tcp_tw_reuse=2 acts on loopback addresses only'
    : ', and bind() does not look at tcp_tw_reuse';
}
