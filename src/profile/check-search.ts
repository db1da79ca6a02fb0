/**
 * `arrival: { find: max-rate }`: what is searched for instead of given. Pure.
 */
import { formatRate } from '../domain/format.js';
import { SEARCH, type SearchSettings } from '../plan/search.js';
import type { Finding } from './problem.js';
import type { ArrivalInput, FindInput, ProfileInput } from './schema.js';

type AnyLoad = Omit<ProfileInput['load'], 'arrival'> & { arrival: ArrivalInput | FindInput };

/** The load with arrivals that have a shape: for a search those of its first step, which stand for all in a plan. */
export function withShape(load: AnyLoad): Omit<AnyLoad, 'arrival'> & { arrival: ArrivalInput } {
  const { arrival } = load;
  if (!('find' in arrival)) return { ...load, arrival };
  const { from = SEARCH.from, step = SEARCH.stepMs } = arrival;
  // Long enough for one attempt at the least.
  return { ...load, arrival: { shape: 'constant', rate: from, duration: Math.max(step, Math.ceil(1001 / from)) } };
}

/** The settings of the search; undefined where the profile's load has arrivals of its own. */
export function checkSearch({ load, variants }: ProfileInput, findings: Finding[]): SearchSettings | undefined {
  const { arrival } = load;
  for (const [i, variant] of variants.entries()) {
    const own = variant.load?.arrival;
    if (own === undefined || (!('find' in arrival) && !('find' in own))) continue;
    findings.push({
      path: ['variants', i, 'load', 'arrival'],
      message:
        'a search is for the baseline and every variant alike: remove arrival here, and write "arrival: { find: max-rate }" under load',
      at: 'key',
    });
  }
  return 'find' in arrival ? settingsOf(arrival, findings) : undefined;
}

function settingsOf(arrival: FindInput, findings: Finding[]): SearchSettings {
  const settings: SearchSettings = {
    from: arrival.from ?? SEARCH.from,
    to: arrival.to ?? Math.max(SEARCH.to, arrival.from ?? 0),
    tolerance: arrival.tolerance ?? SEARCH.tolerance,
    confirm: arrival.confirm ?? SEARCH.confirm,
    stepMs: arrival.step ?? SEARCH.stepMs,
    p99Ms: arrival.p99 ?? SEARCH.p99Ms,
  };
  const at = (key: string) => ['load', 'arrival', key];
  if (settings.from > settings.to) {
    findings.push({
      path: at('to'),
      message: `found ${formatRate(settings.to)}, below from (${formatRate(settings.from)}): raise to, or lower from`,
    });
  }
  if (settings.stepMs < 100)
    findings.push({ path: at('step'), message: 'found a step below 100ms, which tells nothing: write "step: 3s"' });
  return settings;
}
