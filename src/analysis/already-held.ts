/**
 * Where the rate that somebody needs is held without any change, by the model, while the lab fails: the lab was given a load, or so few ports,
 * that the machine does not have. What a variant gained there is no reason to change the machine. Pure.
 */
import { judgeRate } from '../capacity/at-scale.js';
import { formatRate } from '../domain/format.js';
import { failureCount } from '../domain/outcome.js';
import type { Variant } from '../results/schema.js';
import { comparedRuns } from './usable.js';

/** What there is to say where no change is supported for the rate, each from its first word to its last, without the full stop. */
interface AlreadyHeld {
  /** `at 300/s this machine does not run out of ports, by the model`. */
  readonly fact: string;
  /** Whose failures those of the lab are; null: nothing failed there. */
  readonly failures: string | null;
  readonly advice: string;
}

/**
 * @param variants with their baseline
 * @param required connections per second; undefined: nobody said
 * @returns null where nobody said, where the rate fails, or holds but beyond the slow wall, where it is not modelled, or where the baseline held
 *   less in the lab than the model says
 */
export function alreadyHeld(variants: readonly Variant[], required: number | undefined): AlreadyHeld | null {
  const baseline = variants.find((variant) => variant.baseline && !variant.absent);
  if (required === undefined || baseline?.real?.kind !== 'scaled') return null;
  if (heldLess(baseline)) return null;
  const judged = judgeRate(baseline.real, required);
  if (judged.kind !== 'holds' || judged.slow !== null) return null;
  const failed = comparedRuns(baseline).some(({ outcomes }) => failureCount(outcomes) > 0);
  return {
    fact: `at ${formatRate(required)} this machine does not run out of ports, by the model`,
    failures: failed ? 'the lab’s failures are those of its own load' : null,
    advice:
      'a change for that rate is not supported; find out which figure is wrong (bindstorm watch --once on the machine)',
  };
}

/** Whether fewer attempts succeeded than the model has it: one that promises too much in the lab says nothing of a machine. */
function heldLess({ agreement, prediction: { concurrent }, ...arm }: Variant): boolean {
  if (agreement?.verdict !== 'disagrees') return false;
  return (
    concurrent === null ||
    comparedRuns(arm).some(({ attempts, outcomes }) => (outcomes.ok ?? 0) < Math.min(attempts, concurrent))
  );
}

/** The first sentences of a report; nothing where the baseline does not hold the rate, or nothing failed and nothing was better. */
export function alreadyHeldSentence(variants: readonly Variant[], required: number | undefined): string {
  const held = alreadyHeld(variants, required);
  if (held === null) return '';
  if (held.failures === null && !variants.some(({ verdict }) => verdict?.verdict === 'better')) return '';
  const { fact, failures, advice } = held;
  return `${capital(fact)}${failures === null ? '' : `: ${failures}`}. ${capital(advice)}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
