/**
 * What a search found, as text for a terminal and as a Markdown table. Pure.
 */
import type { ArmSearch, SearchAgreement, SearchReport } from '../results/search.js';
import { plural } from './format.js';
import { code, table, text } from './gfm.js';

/** How far the middle of what was found may be from the model. */
const NEAR = 0.05;

/**
 * The interval beside the model's rate.
 * @returns null where either is missing, or where something else than ports was the limit
 */
export function searchAgreement({ interval, prediction }: ArmSearch): SearchAgreement | null {
  const model = prediction.sustained;
  if (interval === null || interval.high === null || interval.limit !== 'refused' || model === null) return null;
  if (model === 0) return { verdict: interval.low === 0 ? 'agrees' : 'disagrees', model, difference: 0 };
  const difference = ((interval.low + interval.high) / 2 - model) / model;
  return { verdict: Math.abs(difference) <= NEAR ? 'agrees' : 'disagrees', model, difference };
}

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
export function foundText({ interval, problem, prediction }: ArmSearch): string {
  if (interval === null) return `not found: ${problem}`;
  const { low, high, held, limit } = interval;
  if (low === 0)
    return high === null
      ? 'nothing was tried'
      : `no rate holds: ${rate(high)} did not, for ${limitText(limit, prediction.fails)}`;
  const times = `held ${held === 1 ? 'once' : `in ${held} of ${held} steps`}`;
  if (high === null) return `at least ${rate(low)}, where the search ends (${times})`;
  const from = `${rate(low)} (${times}) to ${rate(high)}`;
  return `${from}, where it ends by ${limitText(limit, prediction.fails)}`;
}

function limitText(limit: NonNullable<ArmSearch['interval']>['limit'], fails: string): string {
  switch (limit) {
    case 'slow':
      return 'the limit of the latency';
    case 'generator':
      return 'what this generator can do, not by ports';
    default:
      return `refusals (the model expects ${fails})`;
  }
}

function modelText({ prediction, agreement }: SearchReport['arms'][number]): string {
  if (prediction.sustained === null)
    return prediction.concurrent === null ? 'the model has no closed form' : 'the model: ports do not limit the rate';
  const model = `the model: ${rate(prediction.sustained)} (${prediction.formula})`;
  if (agreement === null) return model;
  const off = `${agreement.difference < 0 ? '−' : '+'}${(Math.abs(agreement.difference) * 100).toFixed(1)} %`;
  return `${model}; the middle of what was found is ${off} from it: it ${agreement.verdict}`;
}

/** What makes «for ever» of steps that end. */
export function howText({ steps, occupancy }: ArmSearch): string {
  const seconds = `${Number(occupancy.seconds.toPrecision(3))} s`;
  const whose = occupancy.how === 'model' ? 'by the model' : 'at most';
  switch (steps.at(-1)?.how) {
    case 'scaled':
      return `scaled: a connection keeps its port for ${seconds} (${whose}), so each step began with as many as the rate leaves in that time`;
    case 'in full':
      return `each longer than the ${seconds} for which a connection keeps its port (${whose})`;
    default:
      return 'each as long as asked for: a connection leaves nothing behind that lasts, by the model';
  }
}

function rate(perSecond: number): string {
  if (perSecond >= 1000) return `${Math.round(perSecond).toLocaleString('en')}/s`;
  return `${Number(perSecond.toPrecision(3))}/s`;
}

export function renderSearchMarkdown(report: SearchReport): string {
  const kernels = Object.values(report.kernels).join(', ');
  const rows = report.arms.map((arm) => [
    code(arm.kernel === undefined ? arm.name : `${arm.name} @ ${arm.kernel}`),
    text(arm.changes.join('; ') || '–'),
    text(foundText(arm)),
    text(arm.prediction.sustained === null ? '–' : rate(arm.prediction.sustained)),
    text(arm.agreement?.verdict ?? '–'),
    text(howText(arm)),
  ]);
  return `# The highest rate that holds: ${text(report.experiment)}

${text(report.lab)}, Linux ${text(kernels)}, ${report.startedAt.slice(0, 10)}. A rate holds when not one attempt fails. ${code(report.command)}

${table(['arm', 'changes', 'found', 'the model', '', 'steps'], rows, ['---', '---', '---', '--:', '---', '---'])}
`;
}
