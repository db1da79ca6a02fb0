/** What a report says of the time without ports and after it: connections from another address, and recovery. Left out where neither was asked. */
import { comparedRuns } from '../../analysis/usable.js';
import { parseMetric } from '../../domain/metric.js';
import type { Results, Run, Variant } from '../../results/schema.js';
import { type Section, section, tableOf, text, WRITTEN } from '../document.js';
import { formatNumber, formatValue, NONE } from '../format.js';
import { medianOf } from '../rows/medians.js';

const WRONG = parseMetric('sourceAddress.wrong');
const RECOVERY = parseMetric('recovery.time');

interface AftermathRow {
  readonly name: string;
  /** Share of the connections, from 0 to 1; null: not asked. */
  readonly wrong: number | null;
  /** Connections. */
  readonly wrongCount: number | null;
  readonly recovered: string;
  /** Of a run that did not recover: what its attempts came to. */
  readonly why: string;
}

/** One row an arm. */
export function aftermathSection({ variants }: Results): Section | null {
  const asked = variants.flatMap((variant) => comparedRuns(variant));
  const isWrongAsked = asked.some((run) => WRONG.value(run) !== null);
  const isRecoveryAsked = asked.some(({ recovery }) => recovery !== undefined);
  if (!isWrongAsked && !isRecoveryAsked) return null;
  return section('aftermath', 'Aftermath', 'Without ports, and afterwards', WRITTEN, [
    text(
      'Some programs go on from another address when bind() is refused, and are answered; some keep failing when there are ports again. Medians over the runs of each arm.',
    ),
    tableOf<AftermathRow>(
      'Connections from another address, and recovery, by arm',
      [
        { title: 'Arm', cell: ({ name }) => name },
        ...(isWrongAsked
          ? [
              {
                title: 'From another address',
                numeric: true,
                cell: ({ wrong, wrongCount }: AftermathRow) =>
                  wrong === null ? NONE : `${formatNumber(wrongCount ?? 0)} (${formatValue('share', wrong)})`,
              },
            ]
          : []),
        ...(isRecoveryAsked
          ? [
              { title: 'Works again after', cell: ({ recovered }: AftermathRow) => recovered },
              { title: 'Otherwise', wraps: 'list' as const, cell: ({ why }: AftermathRow) => why || NONE },
            ]
          : []),
      ],
      variants.map(rowOf),
    ),
  ]);
}

function rowOf(variant: Variant): AftermathRow {
  const runs = comparedRuns(variant);
  const never = runs.filter(({ recovery }) => recovery?.seconds === null);
  return {
    name: variant.name,
    wrong: medianOf(variant, WRONG.value),
    wrongCount: medianOf(variant, ({ origin }) => origin?.seen?.wrongSource),
    recovered: recoveredText(runs, medianOf(variant, RECOVERY.value), never.length),
    why: never[0]?.recovery?.why ?? '',
  };
}

/** @param median µs, of those that never did the time after which it was given up @param never runs that did not recover */
function recoveredText(runs: readonly Run[], median: number | null, never: number): string {
  const asked = runs.filter(({ recovery }) => recovery !== undefined);
  if (asked.length === 0) return NONE;
  if (never === asked.length) {
    const [{ recovery }] = asked as [Run];
    return recovery!.attempts === 0 ? 'not known' : `not within ${formatValue('microseconds', recovery!.within * 1e6)}`;
  }
  const time = formatValue('microseconds', median);
  return never === 0 ? time : `${time}; in ${never} of ${asked.length} runs it did not`;
}
