/**
 * CONFIG_HZ of the kernel that this process runs on.
 */
import { clockGetres, nativeBuffer } from './libc.js';

const CLOCK_MONOTONIC_COARSE = 6;
const TIMESPEC_BYTES = 16;

/**
 * Timer interrupts per second, such as 250. The coarse clock moves with each of them, and clock_getres(2) says how far (KTIME_LOW_RES,
 * include/linux/hrtimer.h): no file that tells it need be there or readable.
 * @returns null where the kernel does not say
 */
export function timerFrequency(): number | null {
  const resolution = nativeBuffer(TIMESPEC_BYTES);
  if (clockGetres(CLOCK_MONOTONIC_COARSE, resolution.address) < 0) return null;
  const nanoseconds = Number(resolution.view.getBigInt64(8, true));
  return nanoseconds > 0 ? Math.round(1e9 / nanoseconds) : null;
}
