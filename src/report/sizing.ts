/** How many addresses a rate needs, and why a prediction has no sustained rate, in words: of `plan` and `capacity` alike. Pure. */
import { counted, formatSustained } from '../analysis/format.js';
import type { Needed } from '../capacity/sizing.js';
import { mostAtOnce } from '../results/prediction.js';
import type { Prediction } from '../results/schema.js';

/**
 * How many addresses it takes. What they sustain is said of all of them together: each one's share, rounded, would not add up to it.
 * @param wall that the rate is to stay away from
 */
export function neededText(needed: Needed, wall: 'full' | 'slow' = 'full'): string {
  switch (needed.kind) {
    case 'addresses': {
      const together = needed.addresses * needed.perAddress;
      const [one, many] = wall === 'full' ? ['sustains', 'sustain'] : ['stays fast up to', 'stay fast up to'];
      return `${counted(needed.addresses, 'address')}, which ${needed.addresses === 1 ? one : `together ${many}`} ${formatSustained(together)}`;
    }
    case 'useless':
      return `more than any number of addresses: ${needed.why}`;
    case 'unlimited':
      return `one address: ${needed.why}`;
    case 'unknown':
      return `a number that is not modelled: ${needed.why}`;
  }
}

/** What a prediction without a sustained rate says of it; results of an earlier version do not tell one reason from the other. */
export function unlimitedText({ limited, ...prediction }: Prediction): string {
  return limited === 'not modelled' || mostAtOnce(prediction) === null ? 'not modelled' : 'ports do not limit the rate';
}
