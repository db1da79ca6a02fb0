// The table of fixes as README.md begins with: what each does by how a program binds, on one kernel, made of the kept example. What does
// nothing there is one row; of what that kernel has not, it says what it does on one that has it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { byHowMuch, league, series, tablesOf } from '../dist/src/analysis/fixes.js';
import { STRATEGIES } from '../dist/src/domain/strategy.js';

const EXAMPLE = 'reports/examples/fixes';
const HEADS = {
  bind: 'binds to port 0',
  'bind-reuseaddr': 'the same with `SO_REUSEADDR`',
  'bind-no-port': 'the same with `IP_BIND_ADDRESS_NO_PORT`',
  connect: 'does not bind',
};
const STRATEGY_COLUMNS = Object.keys(HEADS);
const KERNEL = /^6\.18\./;

/** README.md with the table between its marks. */
export function withDigest(root, readme) {
  const report = JSON.parse(readFileSync(join(root, EXAMPLE, 'fixes.json'), 'utf8'));
  const marked = /(<!-- fixes -->\n)[\s\S]*?(<!-- \/fixes -->)/;
  return readme.replace(marked, (_, before, after) => `${before}${digest(report)}${after}`);
}

function digest(report) {
  const tables = STRATEGY_COLUMNS.map((name) =>
    report.tables.find(({ strategy, subject, kernel }) => strategy === name && !subject && KERNEL.test(kernel.release)),
  );
  const link = ({ name, title }) => `[${title}](${EXAMPLE}/README.md#${name})`;
  const fixes = league(report);
  const here = report.tables.filter(({ kernel }) => KERNEL.test(kernel.release));
  const isVain = ({ name }) =>
    here.every(({ cells: { [name]: cell } }) => cell?.kind !== 'measured' || cell.effect === 'does nothing');
  const isAbsent = ({ name }) => here.every(({ cells: { [name]: cell } }) => cell?.kind === 'absent');
  const row = (cells) => `| ${cells.join(' | ')} |\n`;
  const line = (fixes, cells) => row([fixes.map(link).join(', '), ...cells, fixes[0].sideEffect?.split('. ')[0] ?? '']);
  const vain = fixes.filter((fix) => isVain(fix) && !isAbsent(fix));
  return [
    row(['alone', ...STRATEGY_COLUMNS.map((name) => `${HEADS[name]}: ${STRATEGIES[name].usedBy}`), 'beware']),
    row(Array(6).fill('---')),
    ...fixes
      .filter((fix) => !isVain(fix))
      .map((fix) =>
        line(
          [fix],
          tables.map(({ cells }) => short(cells[fix.name])),
        ),
      ),
    line(vain, Array(4).fill('nothing')),
    ...fixes.filter(isAbsent).map((fix) =>
      line(
        [fix],
        tables.map((table) => [elsewhere(fix, table, report), table.cells[fix.name].why.split(': ')[1]].join('')),
      ),
    ),
  ].join('');
}

function short(cell) {
  if (cell.kind === 'same') return 'is that already';
  if (cell.kind !== 'measured') return '–';
  if (cell.effect === 'does nothing') return 'nothing';
  return `**${cell.effect === 'harms' ? 'harms: ' : ''}${byHowMuch(cell)}**`;
}

/** What a fix does on the oldest kernel that has it. */
function elsewhere({ name }, { strategy }, report) {
  const other = tablesOf(report, strategy).find(({ cells }) => cells[name]?.kind === 'measured');
  return other === undefined ? '' : `${short(other.cells[name])} on ${series(other.kernel.release)}; `;
}
