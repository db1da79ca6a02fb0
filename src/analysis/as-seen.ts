/**
 * Of any program of the user's nothing is known beforehand; what it did in its runs says how it gets its ports, to how many places it
 * connects, and who closes. What is predicted of it is predicted of that. Pure.
 */
import type { StrategyName } from '../domain/strategy.js';
import type { Arm } from '../plan/plan.js';
import type { Run } from '../results/schema.js';
import type { Ending } from '../subjects/ending.js';
import { type ProxySettings, proxySubjectOf } from '../subjects/index.js';

/** An arm as its program was seen. @param runs of any arm, those in which calls were counted among them */
export function asSeen(arm: Arm, runs: readonly Run[]): Arm {
  if (!arm.proxy || !proxySubjectOf(arm.proxy.kind).entrance) return arm;
  const own = runs.filter(
    ({ variant, kernel, status }) => variant === arm.name && kernel === arm.kernel && status === 'ok',
  );
  const ways = own.flatMap(({ proxy }) => proxy?.syscalls?.ways ?? []);
  const places = new Set(ways.map(({ to }) => to).filter((to) => !to.endsWith(NAME_SERVER)));
  const strategy = mostFrequent(ways.map((way): [StrategyName, number] => [way.strategy, way.connections]));
  return {
    ...arm,
    load: { ...arm.load, ...(strategy ? { strategy } : {}) },
    proxy: { ...arm.proxy, ending: endingOf(own) } as ProxySettings,
    ...(places.size > 0 ? { destinations: { kind: 'lab', addresses: 1, ports: places.size } } : {}),
  };
}

/** Who closed most connections first. */
function endingOf(runs: readonly Run[]): Ending | 'unknown' {
  const counts = runs.flatMap(({ origin, proxy }): [Ending, number][] => {
    const { client = 0, server = 0, reset = 0, open = 0 } = origin?.seen?.closedFirst ?? {};
    // The end of a program closes what it left open; so it does, one by one, in a program that ends in order.
    const connections = proxy?.syscalls?.connections;
    const left = keptAll(connections, origin?.seen?.requests ?? 0)
      ? client + open
      : Math.min(connections?.open ?? open, client + open);
    return [
      ['client', client + open - left],
      ['server', server],
      ['reset', reset],
      ['kept', left],
    ];
  });
  return mostFrequent(counts) ?? 'unknown';
}

/** None was replaced by another one while the program ran, and they were used again. */
function keptAll(
  connections: { readonly begun: number; readonly peak: number } | undefined,
  requests: number,
): boolean {
  return connections !== undefined && connections.begun <= connections.peak && requests > connections.begun;
}

const NAME_SERVER = ':53';

/** What was counted most often, in all; undefined: nothing was. */
function mostFrequent<T extends string>(counted: readonly (readonly [T, number])[]): T | undefined {
  const sums = new Map<T, number>();
  for (const [what, count] of counted) sums.set(what, (sums.get(what) ?? 0) + count);
  return [...sums].filter(([, count]) => count > 0).sort(([, m], [, n]) => n - m)[0]?.[0];
}
