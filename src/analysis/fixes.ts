/**
 * The league table of fixes: what each does to each strategy, or real proxy, on each kernel, by exact counts. Pure.
 *
 * A cell is one run of two waves of attempts, 1.5 s apart, each connection closed by us as soon as it stands: the first wave shows how
 * many tuples there are, the second what has come back meanwhile. Behind a NAT they are open until the wave ends.
 */
import { parseKernelVersion } from '../capacity/kernel-version.js';
import type { Fix } from '../profile/fix.js';
import type { Effect, FixCell, FixReport, FixTable, Waves } from '../results/fixes.js';
import type { Prediction } from '../results/schema.js';
import { listed } from './format.js';

export type { FixCell, FixReport, FixTable, Waves } from '../results/fixes.js';

/** Counts may differ by a port that came back in the middle of a wave; less than this is nothing. */
const NOTHING = 0.05;

/** What a fix does, by the ok attempts of both waves with and without it. @returns factor: with / without; null where nothing was ok without */
export function effectOf(waves: Waves, baseline: Waves): { effect: Effect; factor: number | null } {
  const [after, before] = [waves[0] + waves[1], baseline[0] + baseline[1]];
  if (before === 0) return { effect: after > 0 ? 'works' : 'does nothing', factor: null };
  const factor = after / before;
  if (factor > 1 + NOTHING) return { effect: 'works', factor };
  return { effect: factor < 1 - NOTHING ? 'harms' : 'does nothing', factor };
}

/**
 * What the model expects of two waves: as many as there are tuples, and again as many when they have come back.
 * @param perWave attempts of a wave @param pauseSeconds between the waves
 * @param wholeSeconds tcp_tw_reuse goes by a clock of whole seconds (before 6.14), which may tick within a wave
 * @returns null where the model has no closed form, or ports may come back within a wave
 */
export function expectedWaves(
  { concurrent, sustained }: Prediction,
  perWave: number,
  pauseSeconds: number,
  wholeSeconds: boolean,
): Waves | null {
  if (concurrent === 0) return [0, 0];
  if (sustained === null) return [perWave, perWave];
  if (concurrent === null) return null;
  const seconds = concurrent / sustained;
  if (seconds < (wholeSeconds ? 10 : 0.5)) return null;
  const first = Math.min(perWave, concurrent);
  return [first, seconds <= pauseSeconds ? first : Math.min(perWave, concurrent - first)];
}

/** The fixes, those that work in most cells first, those that harm last; of equals the one that does most. */
export function league({ fixes, tables }: FixReport): Fix[] {
  const score = ({ name }: Fix) => {
    const cells = tables.flatMap(({ cells: { [name]: cell } }) => (cell?.kind === 'measured' ? [cell] : []));
    const sign = { works: 1, 'does nothing': 0, harms: -1 } as const;
    const mean = (values: readonly number[]) =>
      values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
    return {
      sign: cells.length === 0 ? -2 : mean(cells.map(({ effect }) => sign[effect])),
      // All that is asked for counts more than any factor: what has no limit was not measured to its end.
      size: mean(cells.map(({ waves, attempts, factor }) => (waves[0] + waves[1] === attempts ? 100 : (factor ?? 1)))),
    };
  };
  const scored = fixes.map((fix) => ({ fix, ...score(fix) }));
  return scored.sort((a, b) => b.sign - a.sign || b.size - a.size).map(({ fix }) => fix);
}

/** Cells whose count is not what the model expects. */
export function disagreements({ tables }: FixReport): string[] {
  return tables.flatMap((table) =>
    Object.entries({ baseline: table.baseline, ...table.cells }).flatMap(([name, cell]) => {
      if (cell.kind !== 'measured' || cell.predicted === null) return [];
      const same = cell.waves[0] === cell.predicted[0] && cell.waves[1] === cell.predicted[1];
      return same
        ? []
        : [
            `${name} with ${rowOf(table)} on ${table.kernel.release}: ${cell.waves.join(' | ')}, expected ${cell.predicted.join(' | ')}`,
          ];
    }),
  );
}

/** What a table is of: a strategy, or a program that was under test, as `squid 5.7`. */
export function rowOf({ strategy, subject }: Pick<FixTable, 'strategy' | 'subject'>): string {
  if (subject === undefined) return strategy;
  return subject.version === null ? subject.kind : `${subject.kind} ${subject.version}`;
}

/** One fix with one strategy or program, over all kernels, in words: `works ×2`, `does nothing`, `works ×2 on 6.18 and 7.2, else not there (since Linux 6.14)`. */
export function acrossKernels(fix: string, row: string, report: FixReport): string {
  const groups = new Map<string, string[]>();
  for (const { kernel, cells } of tablesOf(report, row)) {
    const cell = cells[fix];
    if (cell === undefined) continue;
    const words = inWords(cell);
    groups.set(words, [...(groups.get(words) ?? []), series(kernel.release)]);
  }
  if (groups.size < 2) return [...groups.keys()][0] ?? '–';
  return [...groups].map(([words, kernels]) => `${words} (${listed(kernels)})`).join('; ');
}

/** A cell in words: `works ×2`, `does nothing`, `not applicable: …`. */
export function inWords(cell: FixCell): string {
  switch (cell.kind) {
    case 'same':
      return 'is that already';
    case 'cannot':
      return `not applicable: ${cell.why}`;
    case 'absent':
      return `not there: ${cell.why}`;
    case 'failed':
      return 'failed';
    case 'measured':
      return cell.effect === 'does nothing' ? cell.effect : `${cell.effect} ${byHowMuch(cell)}`;
  }
}

/** `×2`; `no limit` where every attempt of both waves was ok. */
export function byHowMuch({ factor, waves, attempts }: FixCell & { kind: 'measured' }): string {
  if (waves[0] + waves[1] === attempts) return 'without limit';
  return factor === null ? '' : `×${Number(factor.toPrecision(2))}`;
}

/** The tables of a strategy or program, the oldest kernel first. */
export function tablesOf({ tables }: FixReport, row: string): FixTable[] {
  const own = tables.filter((table) => rowOf(table) === row);
  const version = ({ kernel }: FixTable) => parseKernelVersion(kernel.release);
  return own.sort((a, b) => version(a).major - version(b).major || version(a).minor - version(b).minor);
}

/** `6.18` of `6.18.44`. */
export function series(release: string): string {
  return release.split('.').slice(0, 2).join('.');
}
