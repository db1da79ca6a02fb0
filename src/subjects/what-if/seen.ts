/**
 * What is seen of the calls of a program under a what-if: its sockets have options that it did not set, and that no trace of its own calls
 * shows. Pure.
 */
import type { SyscallCount } from '../proxy-report.js';
import { strategyUnder, type WhatIf } from './what-if.js';

/** The same count, with the strategies that its sockets have. @param whatIf undefined: those that are seen */
export function seenUnder(count: SyscallCount, whatIf: WhatIf | undefined): SyscallCount {
  if (whatIf === undefined) return count;
  return {
    ...count,
    result() {
      const { ways, ...rest } = count.result();
      if (ways === undefined) return rest;
      return { ...rest, ways: ways.map((way) => ({ ...way, strategy: strategyUnder(way.strategy, whatIf) })) };
    },
  };
}
