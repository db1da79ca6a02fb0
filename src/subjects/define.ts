/**
 * How the file of a kind defines it: what it says, and what follows from that.
 */
import { dirname } from 'node:path';
import { z } from 'zod';
import { defaultsOf, keptShape, type Settings } from '../domain/setting.js';
import type { ProgramPackages } from '../machine/debian-program.js';
import { TAKES } from './belongings.js';
import { type SettingsOf, suiteOrBinary } from './settings.js';
import type { Belongings, ProgramFacts, ProxyFacts, ProxySubject, RouterSubject } from './subject.js';
import { strategyUnder, WHAT_IF, type WhatIf } from './what-if/what-if.js';

/** What every program has beside its own settings. */
const COMMON = { whatIf: WHAT_IF, takes: TAKES };
type WithCommon<T extends Settings> = T & typeof COMMON;

/** A kind of proxy that is one program. */
export function program<const K extends string, T extends Settings>(
  kind: K,
  settings: T,
  facts: ProgramFacts<SettingsOf<K, T>>,
): ProxySubject<SettingsOf<K, WithCommon<T>>> & ProgramFacts<SettingsOf<K, WithCommon<T>>> {
  const own = facts as unknown as ProgramFacts<SettingsOf<K, WithCommon<T>>>;
  return {
    ...own,
    ...base(kind, 'proxy', { ...settings, ...COMMON }),
    ...ofProxy(kind, { ...settings, ...COMMON }, own),
    strategy: (given, version) => strategyUnder(own.strategy(given, version), whatIfOf(given)),
    async start(given, input) {
      const { startProgram } = await import('./running/process.js');
      return startProgram(kind, facts, given as SettingsOf<K, T>, whatIfOf(given), input);
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
  return { ...facts, ...base(kind, 'proxy', settings), ...ofProxy(kind, settings, facts) };
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

/** What follows for a program that is started. */
function ofProxy<K extends string, T extends Settings>(kind: K, settings: T, facts: ProxyFacts<SettingsOf<K, T>>) {
  const defaults = { kind, ...defaultsOf(settings) } as SettingsOf<K, T>;
  return {
    check(given, arm, say) {
      facts.check?.(given, arm, say);
      suiteOrBinary(given, kind, arm.named, say);
    },
    belongings: (given, binary) => brought(given, binary, facts.belongings?.(given, binary)),
    source: sourceOf,
    unpacked: unpackedOf(facts, defaults),
  } as const satisfies Partial<ProxySubject<SettingsOf<K, T>>>;
}

/** What makes the program, of packages that are not installed. */
function unpackedOf<S extends { readonly kind: string }>(facts: ProxyFacts<S>, defaults: S): ProgramPackages {
  const { binary = defaults.kind } = defaults as { readonly binary?: string };
  const { files = [] } = facts.belongings?.(defaults, binary) ?? {};
  return { packages: facts.debianPackage.split(' '), programs: facts.programs ?? [binary], files };
}

/** What the profile names, and what the kind needs; a program that was fetched has its libraries and files beside it. */
function brought(settings: object, binary: string, kind: Belongings = {}): Belongings {
  const { takes = [] } = settings as { readonly takes?: readonly string[] };
  const named = [...(kind.named ?? []), ...takes];
  if (sourceOf(settings) === null) return { ...kind, named };
  return { ...kind, files: [], named, whole: [...(kind.whole ?? []), dirname(binary)] };
}

function sourceOf(settings: object): string | null {
  return (settings as { readonly suite?: string | null }).suite ?? null;
}
