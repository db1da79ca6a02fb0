/**
 * How late a kernel timer may be. TIME_WAIT and FIN_WAIT2 end by timers of the timer wheel, which rounds up: the longer a timer, the
 * coarser the tick that it ends with, and all ports whose timers fall into one tick come back together. Pure.
 *
 * Source: kernel/time/timer.c (LVL_GRAN, LVL_START, calc_index()). Measured: 60.01 to 62.04 s with HZ=250 on 6.18.44, 60.0 to 65.1 s with
 * HZ=100 on 6.1.176 and 7.2.7.
 */
import { atLeast, type KernelVersion } from './kernel-version.js';

/** TCP_TIMEWAIT_LEN, include/net/tcp.h: a constant from 2.6.32 to 7.1. */
export const TIME_WAIT_SECONDS = 60;

/** When the last TIME_WAIT of 60 s is over, rounded up, whatever the HZ of the kernel: its timer may be 5.12 s late. */
export const TIME_WAIT_LATEST_SECONDS = 66;

/** Timers shorter than 63 jiffies end in the jiffy that was asked for; each level from there on is eight times as coarse. */
const FIRST_LEVEL_JIFFIES = 63;
const LEVEL_FACTOR = 8;
const LEVELS = 9;

/** What kernels are built with (kernel/Kconfig.hz), and User-Mode Linux (arch/um/Kconfig). */
const USUAL_HZ = [100, 250, 300, 1000] as const;

/**
 * By how much a timer may be late at most, in seconds. Where the kernel's HZ is not known, that of the usual one on which it is latest.
 * @param seconds what the timer is set to
 * @returns 2.048 for 60 s with HZ=250, 5.12 with HZ=100; 0 before 4.8, whose timers were exact (500462a9de65)
 */
export function timerTick(seconds: number, kernel: KernelVersion): number {
  if (!atLeast(kernel, '4.8')) return 0;
  return Math.max(...(kernel.hz === null ? USUAL_HZ : [kernel.hz]).map((hz) => tickWith(seconds, hz)));
}

function tickWith(seconds: number, hz: number): number {
  const jiffies = seconds * hz;
  let level = 0;
  while (level < LEVELS - 1 && jiffies >= FIRST_LEVEL_JIFFIES * LEVEL_FACTOR ** level) level++;
  return LEVEL_FACTOR ** level / hz;
}
