/**
 * The scenarios of an arm: each completed to a load of its own, over what the first load says, and refused where it could not run. Pure.
 */
import { quote } from '../domain/units.js';
import { destinationCount } from '../plan/arrival.js';
import type { LoadPlan, Scenario } from '../plan/plan.js';
import { FIRST_LOAD, loadsOf } from '../plan/scenario.js';
import type { SubjectKind } from '../subjects/index.js';
import { checkDestinations, MAX_DESTINATIONS } from './check-destinations.js';
import { checkLoad, checkTls } from './check-load.js';
import { checkLoadOfSubject } from './check-subject.js';
import { type CompleteArm, completeLoad } from './complete.js';
import { mergeLoad, type NamedArm } from './merge.js';
import type { Finding, Path, Report } from './problem.js';
import type { ProfileInput } from './schema.js';

/** What is refused is reported at the scenario's own key, or else at that of the load from which it has it. */
function reporterOf(input: ProfileInput, arm: string, name: string, findings: Finding[]): Report {
  const index = (list: ProfileInput['scenarios']) => (list ?? []).findIndex((each) => each.name === name);
  const variant = input.variants.findIndex((each) => each.name === arm);
  const places: Path[] = [
    ...(variant < 0 ? [] : [['variants', variant, 'scenarios', index(input.variants[variant]!.scenarios)]]),
    ['scenarios', index(input.scenarios)],
  ];
  return (message, ...paths) => {
    const or = [...places.flatMap((place) => paths.map((path) => [...place, ...path])), ...paths, places.at(-1)!];
    findings.push({ path: or[0]!, or, message });
  };
}

/**
 * The scenarios of an arm, complete.
 * @param arm without them
 * @param named what the profile names of the arm
 */
export function checkScenarios(
  {
    input,
    subject,
    lab,
    allowed,
  }: {
    readonly input: ProfileInput;
    readonly subject: SubjectKind;
    readonly lab: Parameters<typeof checkDestinations>[2];
    readonly allowed: ReadonlySet<string>;
  },
  arm: CompleteArm & { readonly name: string },
  named: NamedArm,
  findings: Finding[],
): Scenario[] {
  const scenarios = named.scenarios.map((scenario): Scenario => {
    const report = reporterOf(input, arm.name, scenario.name, findings);
    const own = mergeLoad(named.load, scenario.load);
    const load = completeLoad({ ...own, arrival: own.arrival! }, subject, arm.proxy);
    const destinations =
      scenario.destinations && checkDestinations(scenario.destinations, arm.addresses, lab, allowed, report);
    checkLoad(load, arm.addresses.length, report);
    checkLoadOfSubject(load, own, subject, arm.proxy, report);
    checkTls(load, destinations ?? arm.destinations, report);
    if (destinations === undefined && arm.destinations.kind === 'lab') checkAnswers(arm.load, load, report);
    return { name: scenario.name, load, ...(destinations ? { destinations } : {}) };
  });
  if (arm.load.arrival.shape === 'own' && scenarios.length > 0)
    findings.push({
      path: ['scenarios'],
      at: 'key',
      message: 'a program that drives itself has no load beside its own: remove scenarios',
    });
  const loads = loadsOf({ ...arm, scenarios });
  for (const { name, load } of scenarios.length > 0 ? loads : [])
    if (load.arrival.shape === 'fill' && load.arrival.waves > 1)
      reporterOf(
        input,
        arm.name,
        name,
        findings,
      )(
        'the waves of a fill wait for each other, and beside other loads they cannot: remove waves, or the scenarios',
        ['load', 'arrival', 'waves'],
        ['load', 'arrival'],
      );
  const hosts = loads.filter(({ shared }) => !shared).map(({ destinations }) => destinationCount(destinations));
  const all = hosts.reduce((sum, count) => sum + count, 0);
  if (all > MAX_DESTINATIONS && scenarios.length > 0)
    findings.push({
      path: ['scenarios'],
      message: `the loads have ${all} destinations together; at most ${MAX_DESTINATIONS} are allowed: lower those of one`,
    });
  return scenarios;
}

/** Names that no two loads share, and that a variant changes only where there are such. */
export function checkScenarioNames({ load, scenarios = [], variants }: ProfileInput, findings: Finding[]): void {
  for (const [i, { name }] of scenarios.entries()) {
    const first = scenarios.findIndex((each) => each.name === name);
    const path = ['scenarios', i, 'name'];
    if (name === FIRST_LOAD)
      findings.push({ path, message: `"${FIRST_LOAD}" is the name of the first load: use another name` });
    else if (first < i)
      findings.push({ path, message: `${quote(name)} is the name of scenarios[${first}] too: rename one` });
  }
  const names = scenarios.map(({ name }) => name);
  for (const [i, variant] of variants.entries())
    for (const [k, { name }] of (variant.scenarios ?? []).entries())
      if (!names.includes(name))
        findings.push({
          path: ['variants', i, 'scenarios', k, 'name'],
          message: `there is no scenario ${quote(name)} to change; ${names.length > 0 ? `use one of ${names.join(', ')}` : 'add it to scenarios at the top, so that the baseline has it'}`,
        });
  if ('find' in load.arrival && scenarios.length > 0)
    findings.push({
      path: ['scenarios'],
      at: 'key',
      message:
        'a search looks for the rate of one load, and scenarios have rates of their own: remove scenarios, or give load.arrival a shape',
    });
}

/** Hosts that two loads share answer both alike. */
function checkAnswers(first: LoadPlan, load: LoadPlan, report: Report): void {
  const answers = ({ engine, protocol, tls, close, sink, body, exchange, holdMs }: LoadPlan) => {
    const http = protocol === 'get' || engine === 'http';
    return {
      protocol: http ? 'HTTP' : 'bytes',
      tls,
      close: close === 'server',
      sink,
      body: http ? body : 0,
      exchange: http ? null : exchange,
      hold: protocol === 'get' || close === 'server' ? holdMs : 0,
    };
  };
  const [of, own] = [answers(first), answers(load)];
  const keys = Object.keys(of) as (keyof typeof of)[];
  const key = keys.find((each) => JSON.stringify(of[each]) !== JSON.stringify(own[each]));
  if (key !== undefined)
    report(
      `the hosts of the first load answer as that load says, and here ${key} differs: add destinations, so that this one has hosts of its own`,
      ['load', key],
      ['load'],
    );
}
