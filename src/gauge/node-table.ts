/**
 * A look at every namespace as a table for a terminal, a row each, and as one line for a log. Pure.
 */
import { styleText } from 'node:util';
import { printableWords } from '../domain/printable.js';
import { wrap } from '../report/wrap.js';
import { layerText } from './layers.js';
import type { NamespaceLook, NodeLook, WorkloadUse } from './node-look.js';
import { natCell, natLines } from './node-nat.js';
import { type Level, worstLevel } from './reading.js';
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
/** Columns of a name that is shortened. */
const LEAST_NAME = 12;
const MOST_TOLD = 5;
const MOST_WORKLOADS = 5;
const NONE = '–';

type Paint = (style: Style, text: string) => string;

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
  const hasNat = namespaces.some(({ nat }) => nat !== null);
  const head = ['workload', 'sockets', 'fullest address', 'in use', '', 'why', ...(hasNat ? ['NAT'] : []), 'namespace'];
  const rows = fitted(
    shown.map((look) => cellsOf(look, hasNat)),
    head,
    width,
  );
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const right = new Set([1, 3, 4, ...(hasNat ? [6] : [])]);
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
    ...rows.map((row, i) => paintRow(line(row), levelOf(shown[i]!), paint)),
    ...(left > 0 ? [paint('dim', `and ${counted(left, 'namespace', 'namespaces')} less full`)] : []),
    ...skipped
      .slice(0, MOST_TOLD)
      .map(({ workload, reason }) =>
        paint('dim', cutTo(`${printableWords(workload.name)}: not looked into: ${reason}`, width)),
      ),
    ...(node.natUnread === null ? [] : [paint('dim', cutTo(`NAT: not read: ${node.natUnread}`, width))]),
  ];
  const refused = refusedSection(node.refused, width, paint);
  const nats = natSections(namespaces, width, paint);
  return [...table, ...[...refused, ...nats, ...reasons, ...shared].slice(0, Math.max(0, height - table.length))];
}

/** The names of pods are long: they are shortened as far as it takes to see why each is full. */
function fitted(rows: readonly (readonly string[])[], head: readonly string[], width: number): string[][] {
  const upToWhy = head.slice(0, head.indexOf('why') + 1);
  const widths = upToWhy.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  // What is cut off behind it leaves an ellipsis.
  const excess = widths.reduce((sum, each) => sum + each + 2, 1) - width;
  const names = Math.max(LEAST_NAME, widths[0]! - Math.max(0, excess));
  return rows.map(([name = '', ...rest]) => [cutTo(name, names), ...rest]);
}

/** One line that says where the machine stands. */
export function renderNodeLine({ at, level, namespaces }: NodeLook): string {
  const [worst] = namespaces;
  const notable = namespaces.filter(({ cause }) => cause.class !== 'healthy');
  const full = namespaces.filter(({ nat }) => nat !== null && nat.level !== 'ok');
  const said = [
    ...notable.map((look) => `${nameOf(look)} ${percent(look.addresses[0]?.fill ?? 0)} (${look.cause.class})`),
    ...full.map((look) => `NAT of ${nameOf(look)} ${natCell(look.nat!)}`),
  ];
  const calm = worst ? `the fullest is ${nameOf(worst)} at ${percent(worst.addresses[0]?.fill ?? 0)}` : 'no namespace';
  return `${at}  ${LEVEL_WORDS[level]}  ${counted(namespaces.length, 'namespace', 'namespaces')}: ${said.length > 0 ? said.join(', ') : calm}`;
}

function headingOf({ at, namespaces, lookMs }: NodeLook): string {
  const sockets = namespaces.reduce((sum, look) => sum + look.sockets.all, 0);
  const kind = namespaces[0]?.transport === 'udp' ? 'UDP socket' : 'TCP socket';
  return `${at.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}  ${counted(namespaces.length, 'namespace', 'namespaces')}, ${counted(sockets, kind, `${kind}s`)}, counted in ${Math.round(lookMs)} ms`;
}

/** The ports of NATs by destination, the fullest first. */
function natSections(namespaces: readonly NamespaceLook[], width: number, paint: Paint): string[] {
  return namespaces
    .filter(({ nat }) => nat !== null)
    .slice(0, MOST_TOLD)
    .flatMap((look) => [
      '',
      paint(LEVEL_STYLES[look.nat!.level], cutTo(`NAT of ${nameOf(look)}`, width)),
      ...natLines(look.nat!).map((text) => cutTo(text, width)),
    ]);
}

/** Of sockets that are well, beside a NAT that is not. */
function whyOf({ cause, nat }: NamespaceLook): string {
  return cause.class === 'healthy' && nat !== null && nat.level !== 'ok' ? 'NAT' : cause.class;
}

/** The worse of its own ports and of those of its NAT. */
function levelOf({ level, nat }: NamespaceLook): Level {
  return worstLevel([{ level }, ...(nat ? [nat] : [])]);
}

function cellsOf(look: NamespaceLook, hasNat: boolean): string[] {
  const [fullest] = look.addresses;
  return [
    nameOf(look),
    thousands(look.sockets.all),
    fullest?.address ?? NONE,
    fullest ? `${thousands(fullest.used)} of ${thousands(look.capacity.ports)}` : NONE,
    fullest ? percent(fullest.fill) : NONE,
    whyOf(look),
    ...(hasNat ? [look.nat ? natCell(look.nat) : NONE] : []),
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

function paintRow(text: string, level: Level, paint: Paint): string {
  return level === 'ok' ? text : paint(LEVEL_STYLES[level], text);
}
