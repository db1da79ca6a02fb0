/**
 * The winning variant as files to apply: a drop-in for sysctl.d(5) that says what was measured, and the way back. Pure.
 *
 * The way back has no values: those of the lab are not the machine's. The commands of the drop-in record what is in force before it
 * is applied, and the way back reads that. To remove a file of sysctl.d changes nothing until the next boot, and even then a
 * value that nobody else sets is the kernel's only because the kernel is new; so both steps are taken.
 */
import { recommend, type SysctlChange } from '../analysis/recommendation.js';
import { atOnceText, heldOpenText, requiredText, slowText, sustainedText, timerText } from '../analysis/sustained.js';
import { parseKernelVersion } from '../capacity/kernel-version.js';
import { RESERVED_PORTS } from '../capacity/real-scale.js';
import { judgeSysctl } from '../capacity/sysctl-catalogue.js';
import { unlessThrown } from '../domain/error.js';
import { formatRate } from '../domain/format.js';
import { LOCAL_PORT_RANGE } from '../domain/sysctl-syntax.js';
import type { Comparison, RealCapacity, Results, Variant } from '../results/schema.js';
import { type ApplyFile, comment, lines } from './apply-forms/form.js';
import { otherForms } from './apply-forms/index.js';
import { reserveScript } from './apply-forms/reserve.js';
import {
  formatCompared,
  formatDifference,
  formatInstant,
  formatInterval,
  formatP,
  metricLabel,
  plural,
} from './format.js';
import { goalWarnings } from './rows/notices.js';

/** The folder beside the reports. */
export const APPLY_FOLDER = 'apply';

export type Apply =
  | {
      readonly kind: 'files';
      readonly variant: string;
      /** Variants that did more and have none, each with the reason. */
      readonly passedOver: readonly string[];
      /** The drop-in's name; that of the way back ends in `.rollback`, so that no sysctl.d reads it by mistake. */
      readonly name: string;
      readonly dropIn: string;
      /** A script for sh(1). */
      readonly rollback: string;
      /** With a range of ports: a script that reserves those on which something listens; null: nothing is to be reserved beside it. */
      readonly reserve: ApplyFile | null;
      /** The same change for what does not read sysctl.d: Kubernetes, docker, Ansible and others (apply-forms/). */
      readonly others: readonly ApplyFile[];
    }
  | { readonly kind: 'none'; readonly reason: string };

/** Where drop-ins of the administrator are (sysctl.d(5)). */
const FOLDER = '/etc/sysctl.d';
/** All places that sysctl(8) --system and systemd-sysctl(8) read. */
const PLACES = `/etc/sysctl.conf ${FOLDER} /run/sysctl.d /usr/local/lib/sysctl.d /usr/lib/sysctl.d /lib/sysctl.d`;

/** The one name of a variant's file in sysctl.d, whether it is pasted or copied, so that it can be set by one file only. */
export function dropInName(variant: string): string {
  return `zz-bindstorm-${variant.replace(/[^A-Za-z0-9.-]+/g, '-')}.conf`;
}

/** The drop-in for sysctl.d that the verdict supports with the file that reverts it, or the reason why there is none. */
export function applyOf(results: Results): Apply {
  const recommended = recommend(results);
  if (recommended.kind === 'none') return recommended;
  const { variant, changes, passedOver } = recommended;
  // The last by name wins; /etc/sysctl.conf is often linked as 99-sysctl.conf, and sets these names where folklore is followed.
  const name = dropInName(variant.name);
  const base = name.replace(/\.conf$/, '');
  const names = changes.map((change) => change.name);
  const path = `${FOLDER}/${name}`;
  const record = `${FOLDER}/${base}.before`;
  const read = `sysctl ${names.join(' ')}`;
  const title = `bindstorm: ${variant.name}, the change that helped in the experiment ${results.experiment.name}`;
  const facts = [
    ...measured(results, variant.verdict?.goal),
    ...lasting(results, variant),
    ...(variant.verdict?.guardrails ?? []).map(
      (guardrail) =>
        `Guardrail  ${[`${metricLabel(guardrail.metric)}: ${guardrail.verdict}, ${numbers(guardrail)}`, ...guardrail.warnings].join('; ')}`,
    ),
    ...changes.flatMap((change) =>
      change.note === null ? [] : [`Scale      measured with ${change.name} = ${change.measured}: ${change.note}`],
    ),
    ...passedOver.map((why) => `Not taken  ${why}; it did more`),
    ...where(results),
    ...beware(variant, changes, results.experiment.requiredRate),
  ];
  const range = names.includes(RESERVED_PORTS) ? undefined : changes.find((change) => change.name === LOCAL_PORT_RANGE);
  const reserve = range && { name: `${name}.reserve`, range: range.value, base, folder: FOLDER };
  const setters = reserve ? [...names, RESERVED_PORTS] : names;
  const others = otherForms({
    base,
    title,
    facts,
    sysctls: changes,
    machineWide: names.filter((sysctl) => isMachineWide(sysctl, results)),
    dropIn: { name, path, record, read, check: check(path) },
  });
  const dropIn = [
    ...comment([
      title,
      '',
      ...facts,
      '',
      `Other forms of it are beside this file: ${others.files.map((file) => file.name).join(', ')}`,
      ...(others.without === null ? [] : [others.without]),
      '',
      'A lab is not your machine: apply it to one machine first, and look with `bindstorm watch` before and after.',
      'As root, in the folder of this file:',
      '',
      'Who else sets it? This prints nothing; else remove the lines that it prints, or one of them may win at boot:',
      `  ${whoElse(setters, base)}`,
      ...(reserve
        ? [
            'Reserve the ports of the range on which something listens here, and see which and why:',
            `  sh ${reserve.name}`,
          ]
        : []),
      'Record what is in force, once:',
      `  test -s ${record} || ${read} > ${record}`,
      'Apply, now and at each boot:',
      `  cp ${name} ${FOLDER}/ && sysctl -p ${path}`,
      'Check now, and again after the next boot; what is not in force is printed:',
      `  ${check(path)}`,
      'Go back, to what was recorded (to delete the file alone leaves the running values as they are):',
      `  sh ${name}.rollback`,
      ...(reserve ? ['The same for the ports that were reserved:', `  sh ${reserve.name} back`] : []),
      '',
    ]),
    ...changes.map((change) => `${change.name} = ${change.value}`),
  ];
  return {
    kind: 'files',
    variant: variant.name,
    passedOver,
    name,
    dropIn: lines(dropIn),
    rollback: lines(rollbackOf(name, record, names, whoElse(names, base))),
    reserve: reserve ? { name: reserve.name, content: reserveScript(reserve) } : null,
    others: others.files,
  };
}

/** Whether one value serves the machine and all its containers, or may do, on the kernel that was measured. */
function isMachineWide(name: string, { environment }: Results): boolean {
  const kernel = unlessThrown(() => parseKernelVersion(environment.kernel), null);
  return kernel === null || !judgeSysctl(name, kernel, 'namespace').ok;
}

/** Removes the drop-in, writes what was recorded, and compares; the record is kept until all is as before. */
function rollbackOf(name: string, record: string, names: readonly string[], others: string): string[] {
  return [
    '#!/bin/sh',
    ...comment([
      `bindstorm: the way back from ${name}. As root: sh ${name}.rollback`,
      '',
      `It contains no values: ${record} has those that were in force before the drop-in was applied.`,
      'By hand: delete the drop-in, then write the values back with sysctl -w; the one without the other is not enough.',
    ]),
    `record=${record}`,
    'if ! test -s "$record"; then',
    `  echo "$record does not exist, so it is not known what was in force before ${name}. Nothing was changed. Write the values that you know with sysctl -w, and delete ${FOLDER}/${name}" >&2`,
    '  exit 1',
    'fi',
    `rm -f ${FOLDER}/${name}`,
    'sysctl -p "$record"',
    `if ! sysctl ${names.join(' ')} | diff "$record" -; then`,
    '  echo "These values are not as before (<: recorded, >: in force). Write them with sysctl -w, then delete $record" >&2',
    '  exit 1',
    'fi',
    'rm "$record"',
    `others=$(${others})`,
    'if test -n "$others"; then',
    '  echo "Beware: these lines set the same at the next boot. Remove them too if they were of this change:" >&2',
    '  echo "$others" >&2',
    'fi',
    'echo "As before."',
  ];
}

/** Prints the lines of all places, but for the change's own files, that set one of the names. */
function whoElse(names: readonly string[], base: string): string {
  return `grep -rnE '^[[:space:]]*-?(${names.map(pattern).join('|')})[[:space:]]*=' ${PLACES} 2>/dev/null | grep -E '^[^:]*[.]conf:' | grep -vF -e '/${base}.conf:' -e '/${base}-reserved.conf:'`;
}

/** A name as it may be written in a file of sysctl.d: with dots or with slashes. */
function pattern(name: string): string {
  return name.replaceAll(/[./]/g, '[./]');
}

/** Says each setting of a file that is not in force. */
function check(path: string): string {
  return `grep -v '^#' ${path} | while IFS='= ' read -r name value; do test "$(sysctl -n "$name" | tr '\\t' ' ')" = "$value" || echo "not in force: $name = $value"; done`;
}

function measured({ experiment }: Results, goal: Comparison | undefined): string[] {
  return goal ? [`Measured   ${metricLabel(experiment.goal)}: ${numbers(goal)}`] : [];
}

/** What lasts on a machine without the change and with it, by the model. */
function lasting({ variants, experiment: { requiredRate } }: Results, variant: Variant): string[] {
  const baseline = variants.find((each) => each.baseline);
  const [before, real] = [baseline?.real, variant.real];
  if (!baseline || !real || !before) return [];
  const step = (text: (of: RealCapacity) => string | null) =>
    `${text(before) ?? 'no closed form'} → ${text(real) ?? 'no closed form'}`;
  return [
    `Sustained  ${step(sustainedText)} (${step(atOnceText)}), by the model with the ports of a machine${heldOpenText([baseline, variant], ' and ')}${timerText([baseline, variant])}`,
    ...(requiredRate === undefined
      ? []
      : [`Required   ${formatRate(requiredRate)}: ${step((of) => requiredText(of, requiredRate))}`]),
  ];
}

/** `50.0 % → 0 %, −50.0 points (95 % CI −50.2 to −49.8, p = 0.031), 6 pairs of runs`. */
function numbers(comparison: Comparison): string {
  const { unit, kind, difference, ci, pHolm, pairs } = comparison;
  const interval = formatInterval(unit, ci);
  const certainty = [
    ...(kind === 'exact' ? ['the same in every run'] : []),
    ...(interval === null ? [] : [`95 % CI ${interval}`]),
    ...(pHolm === null ? [] : [formatP(pHolm)]),
  ];
  return `${formatCompared(comparison)}, ${formatDifference(unit, difference)}${certainty.length > 0 ? ` (${certainty.join(', ')})` : ''}, ${plural(pairs, 'pair')} of runs`;
}

/** As many warnings of the runs as a reader takes in; the report has them all. */
const WARNINGS = 5;

/** What the report warns of at this variant, and what its sysctls cost that no lab shows. */
function beware(variant: Variant, changes: readonly SysctlChange[], required: number | undefined): string[] {
  const known = changes.flatMap(({ sideEffect }) => sideEffect?.text ?? []);
  const warned = goalWarnings(variant);
  const more = warned.length - WARNINGS;
  const slow = slowText(variant, required);
  const texts = [
    ...(slow === null ? [] : [slow]),
    ...known,
    ...warned.slice(0, WARNINGS),
    ...(more > 0 ? [`${plural(more, 'more warning')} in the report`] : []),
  ];
  return texts.length === 0 ? [] : ['', ...texts.map((text) => `Beware     ${text}`)];
}

function where({ environment, experiment }: Results): string[] {
  const { kernel, machine, lab, tool } = environment;
  return [
    `Where      Linux ${kernel}, ${machine}; ${lab}; bindstorm ${tool}; ${formatInstant(experiment.startedAt)}`,
    `Repeat     ${experiment.command}`,
  ];
}
