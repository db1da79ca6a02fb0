/**
 * The configuration file that a proxy has as its base: read, and refused where the lab cannot take it, with its own lines. Pure: reading
 * is the caller's part.
 */
import { destinationCount } from '../plan/arrival.js';
import { loadsOf } from '../plan/scenario.js';
import { problemsOf, type ReadFiles, readBase } from '../subjects/base/base.js';
import { baseOf, type ProxySettings, proxySubjectOf } from '../subjects/index.js';
import type { CompleteArm } from './complete.js';
import type { Report } from './problem.js';

const WHERE = ['subject', 'base'];

/** The settings of a proxy with its file read. @param named keys of the subject that the profile has */
export function withBase(
  proxy: ProxySettings,
  named: ReadonlySet<string>,
  read: ReadFiles | undefined,
  report: Report,
): ProxySettings {
  const base = baseOf(proxy);
  const rules = proxySubjectOf(proxy.kind).base?.(proxy);
  if (base === undefined || rules === undefined) return proxy;
  for (const key of rules.settings.filter((each) => named.has(each)))
    report(
      `with base, ${base.file} says itself what "${key}" is: remove it, and write it there or as a line of config`,
      ['subject', key],
    );
  const found = read === undefined ? { problem: 'files are not read here' } : readBase(base.file, rules, read);
  if (!('problem' in found)) return { ...proxy, base: found } as ProxySettings;
  report(found.problem, WHERE);
  return proxy;
}

/** What in the file of a proxy does not go with the lab, or with the rest of the arm. */
export function checkBase(arm: CompleteArm, report: Report): void {
  const base = arm.proxy && baseOf(arm.proxy);
  if (arm.proxy === undefined || base === undefined || base.lines.length === 0) return;
  const { reverse, base: rulesOf } = proxySubjectOf(arm.proxy.kind);
  const hosts = loadsOf(arm).filter(({ shared }) => !shared);
  const destinations = hosts.reduce((sum, load) => sum + destinationCount(load.destinations), 0);
  const lab = { addresses: arm.addresses.length, destinations, reverse };
  for (const problem of problemsOf(base, rulesOf!(arm.proxy), lab)) report(problem, WHERE);
}
