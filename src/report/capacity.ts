/**
 * What the arithmetic says of a set-up, in words. Pure.
 */
import { counted, formatSustained, soonest } from '../analysis/format.js';
import type { CapacityAnswer, CapacityQuestion } from '../capacity/question.js';
import type { FirstFull } from '../capacity/spread.js';
import { grouped } from '../domain/grouped.js';
import type { Prediction } from '../results/schema.js';
import { neededText } from './sizing.js';
import { wrap } from './wrap.js';

/** The answer as text for a terminal. @param width in columns */
export function renderCapacity(question: CapacityQuestion, answer: CapacityAnswer, width: number): string {
  const paragraph = (title: string, text: string) =>
    wrap(text, width - 12).map((line, i) => `${i === 0 ? `${title}:`.padEnd(12) : ' '.repeat(12)}${line}`);
  const { prediction, ports } = answer;
  const hosts = question.hosts > 1 ? `${counted(question.hosts, 'host')} with ` : '';
  const each = question.hosts > 1 ? ' each' : '';
  const lines = [
    `${question.strategy}${question.datagram ? ' over UDP' : ''} on Linux ${question.kernel.release}: ${hosts}${number(ports)} ports, ${counted(question.addresses, 'address')}${each}, ${counted(question.destinations, 'destination')}`,
    `  full   ${prediction.unbounded ? 'never' : wall(answer.full.tuples, answer.full.rate)}${answer.full.tuples === null ? '' : `, then ${prediction.fails}`}`,
    `  slow   ${answer.slow === null ? 'no such wall' : wall(answer.slow.tuples, answer.slow.rate)}`,
    '',
    ...paragraph('Arithmetic', `${prediction.formula}.`),
    ...paragraph('Rule', prediction.rule),
    ...paragraph('Spread', spreadText(question)),
    ...(prediction.slowWall ? paragraph('Slow', `${prediction.slowWall.why}.`) : []),
    ...(prediction.simulated ? paragraph('Simulated', simulatedText(prediction.simulated)) : []),
    ...(answer.firstFull ? paragraph('Random', firstFullText(answer.firstFull)) : []),
    ...paragraph('Source', `${prediction.source}.`),
    ...paragraph('Evidence', `${prediction.known?.why ?? 'none'}.`),
  ];
  if (answer.atRate !== null && question.rate !== null) {
    const { slow, full, longestHold, needed } = answer.atRate;
    lines.push(
      '',
      `At ${number(question.rate)}/s:`,
      ...(question.holdMs === 0 ? [] : openLines(question, question.rate, width)),
      `  slow   ${prediction.slowWall ? when(slow) : 'no such wall'}`,
      `  full   ${prediction.unbounded ? 'never' : answer.full.tuples === null ? 'no closed form' : when(full)}`,
      ...(longestHold === null ? [] : [`  ${holdText(longestHold)}`]),
      ...needLines(`so that it is never full${each}`, neededText(needed.full), width),
      // Where there is no such wall, or the ceiling has no closed form, there is nothing more to say.
      ...(needed.slow.kind === 'unknown' || !prediction.slowWall
        ? []
        : needLines(`so that it is never slow${each}`, neededText(needed.slow, 'slow'), width)),
    );
  }
  return `${lines.join('\n')}\n`;
}

const number = (value: number) =>
  value < 10 ? String(Math.floor(value * 100 + 1e-6) / 100) : grouped(Math.floor(value + 1e-6));

function wall(tuples: number | null, rate: number | null): string {
  if (tuples === null) return 'no closed form';
  const at = `${number(tuples)} at once`;
  return `${at}${rate === null ? '; no sustained rate fills it' : `, ${formatSustained(rate)} sustained`}`;
}

function when(seconds: number | null): string {
  if (seconds === null) return 'never';
  return `after ${soonest(seconds)}`;
}

/** How the places are chosen, which the program and its configuration decide. */
function spreadText({ pick, addresses, destinations }: CapacityQuestion): string {
  if (addresses * destinations === 1) return 'one address and one destination have all the load.';
  const how = pick === 'random' ? 'at random' : 'in turn';
  return `taken to be even, ${how}. Where one address or destination has all the load, ask again with that one alone.`;
}

function holdText(seconds: number): string {
  return seconds === 0
    ? 'however short a connection is open'
    : `full only where a connection is open for more than ${soonest(seconds)}`;
}

/** What is open by Little's law, and what it takes beside ports: a descriptor each, where a proxy has one more for each client. */
function openLines({ hosts, holdMs }: CapacityQuestion, rate: number, width: number): string[] {
  const open = number((rate / hosts) * (holdMs / 1000));
  const where = hosts > 1 ? ' on each' : '';
  return wrap(
    `${open} at once${where} (the rate × how long each is open) while none is refused; each takes a descriptor, in a proxy two, in TIME_WAIT none`,
    width - 9,
  ).map((line, i) => `${(i === 0 ? '  open' : '').padEnd(9)}${line}`);
}

function needLines(title: string, needed: string, width: number): string[] {
  return wrap(`${title}: ${needed}`, width - 2).map((line) => `  ${line}`);
}

function simulatedText({ attempts, ok, scaledTo }: NonNullable<Prediction['simulated']>): string {
  const scaled = scaledTo === null ? '' : `, with ${scaledTo} ports for all of them`;
  return `${number(ok.low)} to ${number(ok.high)} at once, after ${number(attempts)} attempts${scaled}.`;
}

function firstFullText({ low, median, high }: FirstFull): string {
  return `connections that are held and spread at random meet their first refusal when about ${number(median)} are open (${number(low)} to ${number(high)}).`;
}
