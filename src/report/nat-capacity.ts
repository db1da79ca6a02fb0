/**
 * What the arithmetic says of a NAT, in words. Pure.
 */
import { counted, formatSustained } from '../analysis/format.js';
import type { NatAnswer, NatQuestion } from '../capacity/nat/question.js';
import { grouped } from '../domain/grouped.js';
import { wrap } from './wrap.js';

/** The answer as text for a terminal. @param width in columns */
export function renderNatCapacity(question: NatQuestion, answer: NatAnswer, width: number): string {
  const paragraph = (title: string, text: string) =>
    wrap(text, width - 12).map((line, i) => `${i === 0 ? `${title}:`.padEnd(12) : ' '.repeat(12)}${line}`);
  const { each, ports, sustained, after, drops, idleNote, notes, onPaper } = answer;
  const owners = each === 'VM' ? counted(question.hosts, 'VM') : counted(question.addresses, 'NAT address');
  const rate =
    sustained !== null
      ? `, ${formatSustained(sustained)} sustained`
      : after === null
        ? '; a sustained rate is not published'
        : '; no sustained rate fills it';
  return `${[
    `${answer.name}${onPaper ? ', on paper' : ''}: ${grouped(ports)} ports each for ${owners}, ${counted(question.destinations, 'destination')}`,
    `  full   ${grouped(answer.concurrent)} at once${rate}`,
    ...(drops ? [`  drops  ${firstDrop(answer, drops)}`] : []),
    '',
    ...paragraph('Arithmetic', `${answer.formula}.`),
    ...paragraph('Rule', `${answer.rule}.`),
    ...(drops ? paragraph('Drops', dropsText(drops)) : []),
    ...paragraph('Idle', `${idleText(answer, question)}; ${idleNote}.`),
    ...paragraph('Shows', `${answer.shows}.`),
    ...notes.flatMap((note, i) =>
      paragraph(i === 0 ? 'Note' : '', `${note}.`).map((line) => (i === 0 ? line : line.replace(/^:/, ' '))),
    ),
    ...paragraph('Source', `${answer.source}.`),
    ...(onPaper ? paragraph('Evidence', 'none: the vendor’s word, and nothing that was measured here.') : []),
    ...(answer.atRate && question.rate !== null ? ['', atRate(question, answer)] : []),
  ].join('\n')}\n`;
}

const percent = (share: number) => `${Number((share * 100).toPrecision(2))} %`;

function firstDrop({ ports }: NatAnswer, { first }: NonNullable<NatAnswer['drops']>): string {
  return `from ${percent(first.median / ports)} of a pool on (${percent(first.low / ports)} to ${percent(first.high / ports)})`;
}

function dropsText({ bands }: NonNullable<NatAnswer['drops']>): string {
  const shown = bands.filter(({ mean }) => mean >= 0.0005);
  const parts = shown.map(({ from, to, mean }) => `${percent(mean)} at ${percent(from)} to ${percent(to)}`);
  return `the search gives up after 248 ports in runs of 128, 64, 32, 16 and 8, so SYNs are dropped before all are taken: ${parts.join(', ')} of fill. Plan for 80 %.`;
}

/** What nobody uses any more is what an idle timeout is for; until then its port is taken. */
function idleText({ concurrent, idle }: NatAnswer, { protocol }: NatQuestion): string {
  const what =
    protocol === 'udp'
      ? 'a port is free so long after its last datagram'
      : 'a connection that nothing passes through is forgotten';
  const seconds = `${grouped(idle)} s`;
  const lost = `so that ${formatSustained(concurrent / idle)} that nobody closes, as of clients that vanish, fill it`;
  return protocol === 'udp' ? `${what}: ${seconds}` : `${what} after ${seconds}, ${lost}`;
}

function atRate({ rate }: NatQuestion, { atRate: at, each }: NatAnswer): string {
  return `At ${formatSustained(rate!)}: ${at!.holds ? 'it holds' : 'it fills up'}; it needs ${counted(at!.needed, each)}.`;
}
