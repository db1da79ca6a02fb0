/**
 * How the file of a kind defines it: what it says, and what follows from that.
 */
import { z } from 'zod';
import { defaultsOf, keptShape, type Settings } from '../domain/setting.js';
import type { SettingsOf } from './settings.js';
import type { ProgramFacts, ProxyFacts, ProxySubject, RouterSubject } from './subject.js';
import { strategyUnder, WHAT_IF, type WhatIf } from './what-if/what-if.js';

/** What every program has beside its own settings. */
const COMMON = { whatIf: WHAT_IF };
type WithCommon<T extends Settings> = T & typeof COMMON;

/** A kind of proxy that is one program. */
export function program<const K extends string, T extends Settings>(
  kind: K,
  settings: T,
  facts: ProgramFacts<SettingsOf<K, T>>,
): ProxySubject<SettingsOf<K, WithCommon<T>>> & ProgramFacts<SettingsOf<K, WithCommon<T>>> {
  return {
    ...(facts as unknown as ProgramFacts<SettingsOf<K, WithCommon<T>>>),
    ...base(kind, 'proxy', { ...settings, ...COMMON }),
    strategy: (own, version) => strategyUnder(facts.strategy(own as SettingsOf<K, T>, version), whatIfOf(own)),
    async start(own, input) {
      const { startProgram } = await import('./running/process.js');
      return startProgram(kind, facts, own as SettingsOf<K, T>, whatIfOf(own), input);
    },
  };
}

function whatIfOf(settings: object): WhatIf | undefined {
  return (settings as { readonly whatIf?: WhatIf }).whatIf;
}

/** A kind of proxy that is several programs, started by itself. */
export function network<const K extends string, T extends Settings>(
  kind: K,
  settings: T,
  facts: ProxyFacts<SettingsOf<K, T>> & Pick<ProxySubject<SettingsOf<K, T>>, 'start'>,
): ProxySubject<SettingsOf<K, T>> {
  return { ...facts, ...base(kind, 'proxy', settings) };
}

/** A kind of router. */
export function router<const K extends string, T extends Settings>(
  kind: K,
  settings: T,
  facts: Pick<RouterSubject<SettingsOf<K, T>>, 'protocols' | 'check'>,
): RouterSubject<SettingsOf<K, T>> {
  return { ...facts, ...base(kind, 'router', settings) };
}

function base<K extends string, R extends 'proxy' | 'router', T extends Settings>(kind: K, role: R, settings: T) {
  return {
    kind,
    role,
    settings,
    defaults: { kind, ...defaultsOf(settings) } as SettingsOf<K, T>,
    schema: z.object({ kind: z.literal(kind), ...keptShape(settings) }),
  } as const;
}
