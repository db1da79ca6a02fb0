/**
 * What a variant comes to on a machine: each sysctl that it changes, with the value to write there, and what the lab's numbers stood
 * for. Whatever tells a reader what to change takes it from here. Pure.
 */
import { atRealScale, modelOf, type RealScale, type Sysctls } from '../capacity/real-scale.js';
import { type SideEffect, sideEffectOf } from '../capacity/side-effects.js';
import { grouped } from '../domain/grouped.js';
import { normaliseSysctl } from '../domain/sysctl-syntax.js';
import type { Results, Variant } from '../results/schema.js';

export interface SysctlAdvice {
  readonly name: string;
  /** In force in the variant's runs, of the lab's size. */
  readonly measured: string;
  /** In force in the baseline's; null where that was not recorded. */
  readonly before: string | null;
  /** For a machine. */
  readonly real: RealScale;
  /** What it costs that no lab shows: a protection that is lost, or else something to know; null: nothing. */
  readonly sideEffect: SideEffect | null;
}

/** The sysctls of a variant that the baseline does not have, at the scale of a machine, in the order of the profile. */
export function adviceOf(baseline: Variant | undefined, variant: Variant, { environment }: Results): SysctlAdvice[] {
  const before = inForce(baseline);
  const after = { ...before, ...inForce(variant) };
  const usual = environment.defaults;
  return Object.entries(variant.sysctls)
    .map(([name, value]) => ({ name, value: normaliseSysctl(value) }))
    .filter(({ name, value }) => {
      const asked = baseline?.sysctls[name];
      return asked === undefined || normaliseSysctl(asked) !== value;
    })
    .map(({ name, value }) => {
      const found = before[name] ?? usual[name];
      const was = found === undefined ? null : normaliseSysctl(found);
      const real = atRealScale({ name, value, before, after: { ...after, [name]: value }, usual });
      return { name, measured: value, before: was, real, sideEffect: sideEffectOf({ name, value, before: was }) };
    });
}

/** What the baseline's ports stood for, as a sentence without its full stop; null: they are as many as a machine has. */
export function scaleOf({ variants, environment }: Results): string | null {
  const model = modelOf(inForce(variants.find(({ baseline }) => baseline)), environment.defaults);
  return model === null
    ? null
    : `in the lab ${grouped(model.ports)} ports of an address stood for the ${grouped(model.usual)} of a machine`;
}

/** Why a sysctl is not to be written on a machine, as the end of a sentence that begins with it; null: it may be. */
export function whyNotPasted({ real, sideEffect }: SysctlAdvice): string | null {
  if (sideEffect?.givesUp) return `gives up ${sideEffect.givesUp}`;
  return real.kind === 'none' ? real.reason : null;
}

/** What the kernel said in the runs, over what the profile asked for. */
function inForce(variant: Variant | undefined): Sysctls {
  const readBack = (variant?.runs ?? []).map(({ sysctls }) => sysctls);
  return Object.assign({}, variant?.sysctls, ...readBack.reverse());
}
