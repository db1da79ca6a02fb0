/**
 * A look at every namespace as a table for a terminal, a row each, and as one line for a log. Pure.
 */
import { styleText } from 'node:util';
import { printableWords } from '../domain/printable.js';
import { wrap } from '../report/wrap.js';
import { layerText } from './layers.js';
import type { NamespaceLook, NodeLook, WorkloadUse } from './node-look.js';
import type { Level } from './reading.js';
import {
  counted,
  cutTo,
  LEVEL_STYLES,
  LEVEL_WORDS,
  percent,
  refusedSection,
  type Style,
  type TableOptions,
  thousands,
} from './table.js';

/** Heading, blank, head, remainder and the titles of the sections. */
const OTHER_LINES = 8;
const LEAST_ROWS = 3;
const MOST_TOLD = 5;
const MOST_WORKLOADS = 5;
const NONE = '–';

/** @returns lines without a newline at the end */
export function renderNodeTable(node: NodeLook, { colour, width, height }: TableOptions): string[] {
  const paint = (style: Style, text: string) => (colour ? styleText(style, text, { validateStream: false }) : text);
  const { namespaces, skipped } = node;
  const told = namespaces.filter(({ cause }) => cause.class !== 'healthy').slice(0, MOST_TOLD);
  const reasons = told.flatMap((look) => {
    const help = look.cause.advice === null ? [] : wrap(`Helps: ${look.cause.advice.helps}`, width);
    return [
      '',
      paint(LEVEL_STYLES[look.level], cutTo(nameOf(look), width)),
      ...wrap(look.cause.sentence, width),
      ...help,
    ];
  });
  const shared = [...sharedLines(namespaces, width), ...layerLines(namespaces, width)];
  const room = Math.max(LEAST_ROWS, height - OTHER_LINES - Math.min(reasons.length, Math.floor(height / 2)));
  const shown = namespaces.slice(0, room);
  const head = ['workload', 'sockets', 'fullest address', 'in use', '', 'why', 'namespace'];
  const rows = shown.map(cellsOf);
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const right = new Set([1, 3, 4]);
  const line = (cells: readonly string[]) =>
    cutTo(
      cells.map((cell, i) => (right.has(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join('  '),
      width,
    );
  const left = namespaces.length - shown.length;
  const table = [
    `${paint('bold', cutTo(headingOf(node), width - LEVEL_WORDS[node.level].length - 2))}  ${paint(LEVEL_STYLES[node.level], LEVEL_WORDS[node.level])}`,
    '',
    paint('dim', line(head)),
    ...rows.map((row, i) => paintRow(line(row), shown[i]!.level, paint)),
    ...(left > 0 ? [paint('dim', `and ${counted(left, 'namespace', 'namespaces')} less full`)] : []),
    ...skipped
      .slice(0, MOST_TOLD)
      .map(({ workload, reason }) =>
        paint('dim', cutTo(`${printableWords(workload.name)}: not looked into: ${reason}`, width)),
      ),
  ];
  const refused = refusedSection(node.refused, width, paint);
  return [...table, ...[...refused, ...reasons, ...shared].slice(0, Math.max(0, height - table.length))];
}

/** One line that says where the machine stands. */
export function renderNodeLine({ at, level, namespaces }: NodeLook): string {
  const [worst] = namespaces;
  const notable = namespaces.filter(({ cause }) => cause.class !== 'healthy');
  const said = notable.map((look) => `${nameOf(look)} ${percent(look.addresses[0]?.fill ?? 0)} (${look.cause.class})`);
  const calm = worst ? `the fullest is ${nameOf(worst)} at ${percent(worst.addresses[0]?.fill ?? 0)}` : 'no namespace';
  return `${at}  ${LEVEL_WORDS[level]}  ${counted(namespaces.length, 'namespace', 'namespaces')}: ${said.length > 0 ? said.join(', ') : calm}`;
}

function headingOf({ at, namespaces, lookMs }: NodeLook): string {
  const sockets = namespaces.reduce((sum, look) => sum + look.sockets.all, 0);
  const kind = namespaces[0]?.transport === 'udp' ? 'UDP socket' : 'TCP socket';
  return `${at.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}  ${counted(namespaces.length, 'namespace', 'namespaces')}, ${counted(sockets, kind, `${kind}s`)}, counted in ${Math.round(lookMs)} ms`;
}

function cellsOf(look: NamespaceLook): string[] {
  const [fullest] = look.addresses;
  return [
    nameOf(look),
    thousands(look.sockets.all),
    fullest?.address ?? NONE,
    fullest ? `${thousands(fullest.used)} of ${thousands(look.capacity.ports)}` : NONE,
    fullest ? percent(fullest.fill) : NONE,
    look.cause.class,
    look.namespace,
  ];
}

/** Pods first by their own name, containers of a pod with theirs. */
function nameOf({ workload: { name, pod, container } }: Pick<NamespaceLook, 'workload'>): string {
  return printableWords(pod !== null && container !== null ? `${name} ${container}` : name);
}

/** Who has the sockets of a namespace that several workloads share. */
function sharedLines(namespaces: readonly NamespaceLook[], width: number): string[] {
  return namespaces.flatMap((look) => {
    const uses = look.workloads ?? [];
    if (uses.length < 2) return [];
    const say = (use: WorkloadUse) => `${nameOf(use)}  ${thousands(use.sockets)} open`;
    return [
      '',
      ...[`${nameOf(look)} is shared by`, ...uses.slice(0, MOST_WORKLOADS).map(say)].map((text) => cutTo(text, width)),
    ];
  });
}

/** Of layers only those are told that carry something: what is carried is often every row. */
function layerLines(namespaces: readonly NamespaceLook[], width: number): string[] {
  return namespaces.flatMap((look) =>
    look.layers
      .filter(({ kind }) => kind === 'carries')
      .flatMap((layer) => ['', ...wrap(`${nameOf(look)}: ${layerText(layer)}`, width)]),
  );
}

function paintRow(text: string, level: Level, paint: (style: Style, text: string) => string): string {
  return level === 'ok' ? text : paint(LEVEL_STYLES[level], text);
}
