/**
 * What the arithmetic says of a set-up, in words. Pure.
 */
import { counted, formatSustained, soonest } from '../analysis/format.js';
import type { CapacityAnswer, CapacityQuestion } from '../capacity/question.js';
import type { FirstFull } from '../capacity/spread.js';
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
    ...(prediction.slowWall ? paragraph('Slow', `${prediction.slowWall.why}.`) : []),
    ...(prediction.simulated ? paragraph('Simulated', simulatedText(prediction.simulated)) : []),
    ...(answer.firstFull ? paragraph('Random', firstFullText(answer.firstFull)) : []),
    ...paragraph('Source', `${prediction.source}.`),
    ...paragraph('Evidence', `${prediction.known?.why ?? 'none'}.`),
  ];
  if (answer.atRate !== null && question.rate !== null) {
    const { slow, full, needed } = answer.atRate;
    lines.push(
      '',
      `At ${number(question.rate)}/s:`,
      `  slow   ${prediction.slowWall ? when(slow) : 'no such wall'}`,
      `  full   ${prediction.unbounded ? 'never' : answer.full.tuples === null ? 'no closed form' : when(full)}`,
      ...needLines(`so that it is never full${each}`, neededText(needed.full), width),
      // Where there is no such wall, or the ceiling has no closed form, there is nothing more to say.
      ...(needed.slow.kind === 'unknown' || !prediction.slowWall
        ? []
        : needLines(`so that it is never slow${each}`, neededText(needed.slow), width)),
    );
  }
  return `${lines.join('\n')}\n`;
}

const number = (value: number) =>
  value < 10 ? String(Math.floor(value * 100 + 1e-6) / 100) : Math.floor(value + 1e-6).toLocaleString('en');

function wall(tuples: number | null, rate: number | null): string {
  if (tuples === null) return 'no closed form';
  const at = `${number(tuples)} at once`;
  return `${at}${rate === null ? '; no sustained rate fills it' : `, ${formatSustained(rate)} sustained`}`;
}

function when(seconds: number | null): string {
  if (seconds === null) return 'never';
  return `after ${soonest(seconds)}`;
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
