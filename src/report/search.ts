/**
 * What a search found, as text for a terminal and as a Markdown table. Pure.
 */
import { formatSustained, formatUnsustained, listed } from '../analysis/format.js';
import { requiredText, sustainedText } from '../analysis/sustained.js';
import { formatRate } from '../domain/format.js';
import type { ArmSearch, SearchAgreement, SearchReport } from '../results/search.js';
import { code, type Document, tableOf, text } from './document.js';
import { NONE, plural } from './format.js';
import { unlimitedText } from './sizing.js';

/** How far the middle of what was found may be from the model. */
const NEAR = 0.05;

/**
 * The interval beside the model's rate.
 * @returns null where either is missing, or where something else than ports was the limit
 */
export function searchAgreement({ interval, prediction }: ArmSearch): SearchAgreement | null {
  const model = prediction.sustained;
  if (interval === null || interval.high === null || interval.limit !== 'refused') return null;
  if (model === null)
    return prediction.limited === 'not by ports' ? { verdict: 'disagrees', model, difference: null } : null;
  if (model === 0) return { verdict: interval.low === 0 ? 'agrees' : 'disagrees', model, difference: 0 };
  const difference = ((interval.low + interval.high) / 2 - model) / model;
  return { verdict: Math.abs(difference) <= NEAR ? 'agrees' : 'disagrees', model, difference };
}

/** The answer for a terminal, arm by arm. */
export function searchLines({ arms }: SearchReport): string[] {
  return arms.flatMap((arm) => {
    const title = `${arm.name}${arm.kernel === undefined ? '' : ` on ${arm.kernel}`}${arm.changes.length > 0 ? `: ${arm.changes.join('; ')}` : ''}`;
    return [title, ...sentences(arm).map((line) => `    ${line}`), ''];
  });
}

function sentences(arm: SearchReport['arms'][number]): string[] {
  return [foundText(arm), modelText(arm), `${plural(arm.steps.length, 'step')}, ${howText(arm)}`];
}

/** The answer in words. */
function foundText({ interval, problem, prediction }: ArmSearch): string {
  if (interval === null) return `not found: ${problem}`;
  const { low, high, held, limit } = interval;
  if (low === 0)
    return high === null
      ? 'nothing was tried'
      : `no rate is sustained: ${formatUnsustained(high)} was not, because of ${limitText(limit, prediction.fails)}`;
  const times = `sustained ${held === 1 ? 'once' : `in ${held} of ${held} steps`}`;
  if (high === null) return `at least ${formatSustained(low)}, where the search ends (${times})`;
  const from = `${formatSustained(low)} (${times}) to ${formatUnsustained(high)}`;
  return `${from}, limited by ${limitText(limit, prediction.fails)}`;
}

function limitText(limit: NonNullable<ArmSearch['interval']>['limit'], fails: string): string {
  switch (limit) {
    case 'slow':
      return 'the latency limit';
    case 'generator':
      return 'this generator, not by ports';
    default:
      return `refusals (predicted: ${fails})`;
  }
}

function modelText({ prediction, agreement }: SearchReport['arms'][number]): string {
  if (prediction.sustained === null)
    return `predicted: ${unlimitedText(prediction)}${agreement === null ? '' : ', and connections were refused: a finding'}`;
  const model = `predicted: ${formatSustained(prediction.sustained)} (${prediction.formula})`;
  if (agreement === null || agreement.difference === null) return model;
  const off = `${agreement.difference < 0 ? '−' : '+'}${(Math.abs(agreement.difference) * 100).toFixed(1)} %`;
  return `${model}; the middle of the measured interval is ${off} from it: it ${agreement.verdict}`;
}

/** Why steps that end say something about a sustained rate. */
function howText(arm: ArmSearch): string {
  const machines = [...new Set(arm.steps.flatMap(({ machine }) => machine ?? []))];
  return `${lengthText(arm)}${machines.length === 0 ? '' : `; made on ${listed(machines)}`}`;
}

function lengthText({ steps, occupancy }: ArmSearch): string {
  const seconds = `${Number(occupancy.seconds.toPrecision(3))} s`;
  const whose = occupancy.how === 'model' ? 'by the model' : 'at most';
  switch (steps.at(-1)?.how) {
    case 'scaled':
      return `scaled: a connection keeps its port for ${seconds} (${whose}), so each step began with as many held ports as the rate leaves in that time: it tests how many fit, not how long a port stays taken`;
    case 'in full':
      return `each longer than the ${seconds} for which a connection keeps its port (${whose})`;
    default:
      return 'each as long as requested: by the model, no connection keeps its port';
  }
}

/** The report of a search. @param required the rate that somebody needs; undefined: nobody said */
export function searchDocument(report: SearchReport, required: number | undefined): Document {
  const kernels = Object.values(report.kernels).join(', ');
  const rate = (perSecond: number | null) => (perSecond === null ? NONE : formatSustained(perSecond));
  const title = `Highest sustained rate: ${report.experiment}`;
  const table = tableOf<SearchReport['arms'][number]>(
    'Rates by arm',
    [
      { title: 'arm', cell: ({ name, kernel }) => code(kernel === undefined ? name : `${name} @ ${kernel}`) },
      { title: 'changes', wraps: 'list', cell: ({ changes }) => changes.join('; ') || NONE },
      { title: 'found', wraps: 'sentences', cell: foundText },
      { title: 'predicted', numeric: true, cell: ({ prediction }) => rate(prediction.sustained) },
      { title: 'agreement', cell: ({ agreement }) => agreement?.verdict ?? NONE },
      { title: 'on a machine, by the model', cell: ({ real }) => (real ? sustainedText(real) : NONE) },
      ...(required === undefined
        ? []
        : [
            {
              title: `${formatRate(required)} needed`,
              cell: ({ real }: ArmSearch) => (real ? requiredText(real, required) : NONE),
            },
          ]),
      { title: 'steps', wraps: 'sentences', cell: howText },
    ],
    report.arms,
  );
  const intro = `${report.lab}, Linux ${kernels}, ${report.startedAt.slice(0, 10)}. A rate is sustained when not one attempt fails. `;
  return {
    kicker: 'bindstorm search',
    title,
    meta: { title, generator: null },
    blocks: [text([intro, code(report.command)]), table],
  };
}
