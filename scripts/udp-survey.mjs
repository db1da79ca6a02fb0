// Measures the clients of UDP in programs/udp.tsv again, each by the command of its row, and writes the table: npm run survey:udp -- [PROGRAM…]
// A row is begun by hand with its first six cells; the packages must be installed.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { surveyDatagrams, udpRow } from '../dist/src/experiment/survey-datagrams.js';
import { formatUdpSurvey, parseUdpSurvey } from '../dist/src/explain/udp-survey.js';

const file = join(dirname(fileURLToPath(import.meta.url)), '../programs/udp.tsv');
/** In the words of dpkg-query(1). */
const VERSION = '$' + '{Version}';
const only = process.argv.slice(2);
const rows = [...parseUdpSurvey(readFileSync(file, 'utf8'))];
/** They wait more than they compute. */
const AT_ONCE = 4;
const waiting = rows.map((row, i) => ({ row, i })).filter(({ row }) => only.length === 0 || only.includes(row.program));
await Promise.all(Array.from({ length: AT_ONCE }, work));

async function work() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { row, i } = next;
    try {
      const version = execFileSync('dpkg-query', ['-W', '-f', VERSION, row.package], { encoding: 'utf8' });
      const named = { ...row, version, date: new Date().toISOString().slice(0, 10) };
      rows[i] = udpRow(named, await surveyDatagrams(row.command));
      const { program, option, strategy, held, failing, client } = rows[i];
      console.log(`${program}, ${option}: ${strategy}, held ${held.join(', ')}, ${failing.join(' ')}; ${client}`);
      writeFileSync(file, formatUdpSurvey(rows));
    } catch (error) {
      console.error(`${row.program}, ${row.option}: ${error.message}`);
      process.exitCode = 1;
    }
  }
}
