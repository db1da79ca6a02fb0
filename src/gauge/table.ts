/**
 * A look as a table for a terminal, and as one line for a log. Pure.
 */

import { styleText } from 'node:util';
import { formatTarget } from '../domain/format.js';
import { grouped } from '../domain/grouped.js';
import { printableWords } from '../domain/printable.js';
import { wrap } from '../report/wrap.js';
import { layerText } from './layers.js';
import type { AddressLook, Look } from './look.js';
import type { Level } from './reading.js';
import { refusedLines } from './refused.js';

export interface TableOptions {
  readonly colour: boolean;
  /** Columns. */
  readonly width: number;
  /** Lines that the table may have. */
  readonly height: number;
}

export type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

/** How each level is painted. */
export const LEVEL_STYLES: Readonly<Record<Level, Style>> = { ok: 'green', slow: 'yellow', hard: 'red' };
/** What each level is called. */
export const LEVEL_WORDS: Readonly<Record<Level, string>> = { ok: 'ok', slow: 'slow wall', hard: 'hard wall' };
const BAR = 20;
const NONE = '–';
/** Lines that are not rows of addresses: heading, capacity, two heads, blanks, the remainders. */
const OTHER_LINES = 10;
const MOST_DESTINATIONS = 5;
const MOST_OWNERS = 5;
/** Lines of a window in which no sentence has to be cut. */
const ROOMY = 24;
const LEAST_ADDRESSES = 3;
/** Of advice, where a window is too low for all of it. */
const ADVICE_LINES = 6;

/** @returns lines without a newline at the end */
export function renderTable(look: Look, { colour, width, height }: TableOptions): string[] {
  const paint = (style: Style, text: string) => (colour ? styleText(style, text, { validateStream: false }) : text);
  const destinations = look.destinations.slice(0, MOST_DESTINATIONS);
  const owners = look.owners?.owners.slice(0, MOST_OWNERS) ?? [];
  const why = wrap(look.cause.sentence, width);
  const capacity = height < ROOMY ? [cutTo(capacityLine(look), width)] : wrap(capacityLine(look), width);
  const beside = [
    ...refusedSection(look.refused, width, paint),
    ...section(
      look.layers.length === 0 ? '' : 'two layers',
      look.layers.flatMap((layer) => wrap(layerText(layer), width)),
      paint,
    ),
    ...adviceLines(look, width, paint),
    ...theftLines(look, width, paint),
  ];
  const lines = height - OTHER_LINES - destinations.length - owners.length - why.length - capacity.length + 1;
  const room = Math.max(LEAST_ADDRESSES, lines - Math.min(beside.length, ADVICE_LINES));
  const shown = look.addresses.slice(0, room);
  const rows = shown.map(cellsOf);
  const head = ['local address', 'in use', 'fill', '', 'wall', 'growth', 'hard wall', 'states'];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const right = new Set([1, 3, 5, 6]);
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (right.has(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join('  ');
  const cut = (text: string, columns = width) => cutTo(text, columns);
  const { word: level, style } = stateOf(look);
  const left = look.addresses.length - shown.length;
  const table = [
    `${paint('bold', cut(heading(look), width - level.length - 2))}  ${paint(style, level)}`,
    ...capacity,
    ...why.map((text) => paint(look.cause.class === 'healthy' ? 'dim' : 'bold', text)),
    '',
    ...(look.addresses.length === 0
      ? ['No socket on an ephemeral port.']
      : [paint('dim', cut(line(head))), ...rows.map((row, i) => paintRow(cut(line(row)), shown[i]!.level, paint))]),
    ...(left > 0
      ? [paint('dim', `and ${counted(left, 'address', 'addresses')} below ${percent(shown.at(-1)!.fill)}`)]
      : []),
    ...section(
      look.missed > 0 ? `busiest destinations (each up to ${thousands(look.missed)} more)` : 'busiest destinations',
      destinations.map(
        ({ address, port, sockets, localAddresses }) =>
          `${formatTarget({ address, port })}  ${thousands(sockets)} from ${counted(localAddresses, 'address', 'addresses')}`,
      ),
      paint,
    ).map((text) => cut(text)),
    ...section(
      ownersTitle(look),
      owners.map((owner) => `${nameOf(owner)}  ${owner.estimated ? 'about ' : ''}${thousands(owner.sockets)}`),
      paint,
    ).map((text) => cut(text)),
  ];
  return [...table, ...beside.slice(0, Math.max(0, height - table.length))];
}

/** The calls that were refused while it was looked. */
export function refusedSection(refused: Look['refused'], width: number, paint: Paint): string[] {
  const said = refusedLines(refused);
  if (said === null) return [];
  return section(
    wrap(said.title, width),
    said.lines.flatMap((text) => (text.startsWith(' ') ? [cutTo(text, width)] : wrap(text, width))),
    paint,
  );
}

/** What is known beside the sentence, and what helps. */
function adviceLines({ cause: { evidence, advice } }: Look, width: number, paint: Paint): string[] {
  if (advice === null) return [];
  const lines = [
    ...evidence,
    `Helps: ${advice.helps}`,
    ...(advice.inVain === null ? [] : [`In vain: ${advice.inVain}`]),
    `Look: ${advice.check}`,
  ];
  return section(
    'why, and what helps',
    lines.flatMap((text) => wrap(text, width)),
    paint,
  );
}

/** Ports that an outgoing connection may take from a service, or has taken. */
function theftLines({ exposed, selfConnected, capacity: { low, high } }: Look, width: number, paint: Paint): string[] {
  const lines = [
    ...exposed
      .slice(0, MOST_OWNERS)
      .map(({ address, port, owner }) => `${formatTarget({ address, port })}${owner ? `  ${nameOf(owner)}` : ''}`),
    ...(exposed.length > MOST_OWNERS ? [`and ${thousands(exposed.length - MOST_OWNERS)} more`] : []),
    ...selfConnected
      .slice(0, MOST_OWNERS)
      .map((own) => `${formatTarget(own)} is connected to itself: nobody can listen there until it is closed`),
  ];
  const title = `listening within ${low} to ${high} and not in ip_local_reserved_ports: a connection may take the port while it restarts`;
  return section(
    lines.length === 0 ? '' : wrap(title, width),
    lines.map((text) => cutTo(text, width)),
    paint,
  );
}

function nameOf({ command, pid }: { readonly command: string; readonly pid: number }): string {
  return `${printableWords(command)} (${pid})`;
}

/** One line that says where the namespace stands: for a log, where nothing is redrawn. */
export function renderLine(look: Look): string {
  const [fullest, ...others] = look.addresses;
  if (!fullest) return `${look.at}  ${stateOf(look).word}  no socket on an ephemeral port`;
  const { growthPerSecond, secondsToHardWall } = fullest;
  const parts = [
    `${fullest.address} has ${thousands(fullest.used)} of ${thousands(look.capacity.ports)} ${whatCounts(fullest)} (${percent(fullest.fill)})`,
    ...(growthPerSecond === null ? [] : [rate(growthPerSecond)]),
    ...(secondsToHardWall === null ? [] : [`hard wall ${until(secondsToHardWall)}`]),
    ...(others.length > 0 ? [`${counted(others.length, 'address', 'addresses')} less`] : []),
  ];
  const why = look.cause.class === 'healthy' ? '' : ` (${look.cause.class})`;
  return `${look.at}  ${stateOf(look).word}${why}  ${parts.join(', ')}`;
}

/** The word for a look: what is left in the namespace of a process that has ended is no "ok". */
function stateOf({ process, level }: Look): { word: string; style: Style } {
  if (process && !process.running) return { word: `process ${process.pid} has ended`, style: 'red' };
  return { word: LEVEL_WORDS[level], style: LEVEL_STYLES[level] };
}

function paintRow(text: string, level: Level, paint: Paint): string {
  return level === 'ok' ? text : paint(LEVEL_STYLES[level], text);
}

function heading({ at, transport, sockets, lookMs }: Look): string {
  return `${at.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}  ${thousands(sockets.all)} ${transport.toUpperCase()} socket${sockets.all === 1 ? '' : 's'}, counted in ${lookMs < 10 ? lookMs.toFixed(1) : Math.round(lookMs)} ms`;
}

function capacityLine({ capacity }: Look): string {
  const { low, high, reserved, ports, slowWall } = capacity;
  const without = reserved > 0 ? ` without ${thousands(reserved)} reserved` : '';
  return `ports ${low} to ${high}${without}: ${thousands(ports)} an address; the slow wall is at ${thousands(slowWall)}, the hard wall at ${thousands(ports)}`;
}

function cellsOf(look: AddressLook): string[] {
  const { address, used, fill, states, growthPerSecond, secondsToHardWall } = look;
  const filled = Math.min(BAR, Math.round(fill * BAR));
  return [
    address,
    thousands(used),
    `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}`,
    percent(fill),
    whatCounts(look),
    growthPerSecond === null ? NONE : rate(growthPerSecond),
    secondsToHardWall === null ? NONE : until(secondsToHardWall),
    Object.entries(states)
      .sort((a, b) => b[1] - a[1])
      .map(([state, count]) => `${state} ${thousands(count)}`)
      .join(', '),
  ];
}

/** Where ports are shared, what counts is one destination, and it is named. */
function whatCounts({ wall, largest }: AddressLook): string {
  return wall === 'destination' && largest ? `to ${formatTarget(largest)}` : 'ports';
}

function ownersTitle({ owners, addresses }: Look): string {
  if (owners === null) return '';
  const open = addresses.some(({ states }) => Object.keys(states).some((state) => state !== 'TIME_WAIT'));
  const notes = [
    ...(owners.unreadable > 0 ? [`${counted(owners.unreadable, 'process', 'processes')} may not be read`] : []),
    ...(owners.incomplete ? ['not all processes were read'] : []),
  ];
  if (owners.owners.length === 0 && (notes.length === 0 || !open)) return '';
  return `owners of open sockets${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`;
}

/** At most so many characters, and no blanks at the end. */
export function cutTo(text: string, columns: number): string {
  return (text.length > columns ? `${text.slice(0, Math.max(0, columns - 1))}…` : text).trimEnd();
}

/** @param title one line, or several */
function section(title: string | readonly string[], lines: readonly string[], paint: Paint): string[] {
  const titles = typeof title === 'string' ? [title] : title;
  if (titles[0] === '' || (lines.length === 0 && titles[0]?.startsWith('busiest'))) return [];
  return ['', ...titles.map((text) => paint('dim', text)), ...lines];
}

/** `28,232` */
export function thousands(count: number): string {
  return grouped(count);
}

/** `1 address`, `2 addresses` */
export function counted(count: number, one: string, many: string): string {
  return `${thousands(count)} ${count === 1 ? one : many}`;
}

/** Rounded down, so that 100 % is said only where nothing is left. */
export function percent(share: number): string {
  return `${(Math.floor(share * 1000 + 1e-6) / 10).toFixed(1)} %`;
}

function rate(perSecond: number): string {
  const size = Math.abs(perSecond);
  const text = size >= 99.5 ? grouped(Math.round(size)) : size.toFixed(1);
  return `${/[1-9]/.test(text) ? (perSecond > 0 ? '+' : '−') : ''}${text}/s`;
}

function until(seconds: number): string {
  if (seconds === 0) return 'reached';
  if (seconds < 90) return `in ${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `in ${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `in ${Math.round(seconds / 3600)} h` : 'in over 2 days';
}
