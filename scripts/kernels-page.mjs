// docs/kernels.md, from the tables that the tests hold against the kernels themselves.
import { CASES, COLUMNS, DIFFERENCES, KERNELS } from '../dist/test/support/kernel-tables.js';

export function kernelsPage() {
  const measured = KERNELS.map(({ suite, release }) => `${suite} (${release})`);
  const rows = DIFFERENCES.map((line) => ({ what: rowsOf(line), ...line }));
  const cases = CASES.map((line) => ({ what: line.case, ...line }));
  return `# Kernels

Made from \`test/lab/vm/oracle-kernels.tsv\` and \`test/lab/vm/kernel-cases.tsv\` by \`npm run schema\`; do not edit.

What differs between Linux 5.10, 6.1, 6.12, 6.18 and 7.x for outbound connections, as measured. The tests put 576 rows (12
strategies × 1, 2 or 5 addresses × 1 or 2 destinations × held or in TIME_WAIT × \`tcp_tw_reuse\` 0, 1, 2 × \`ip_autobind_reuse\` 0, 1) and
the cases below to Debian's User-Mode Linux kernels of ${measured.slice(0, -1).join(', ')} and ${measured.at(-1)},
each in a guest, and fail if a kernel answers differently from this page. The rows of 6.18 were measured on 6.18.44.

## Rows that differ

All others of the 576 have the same result on each of these kernels as on 6.18: which call fails, with which errno, how many connections
there are at once, and how many of them a second wave gets after 1.3 s. So advice about strategies, \`tcp_tw_reuse\` and
\`ip_autobind_reuse\` is the same for all of these kernels.

${table('rows', rows)}

## Cases that differ

${table('case', cases)}
`;
}

function rowsOf(line) {
  const given = ['S', 'D', 'mode', 'tcp_tw_reuse', 'ip_autobind_reuse'].filter((name) => line[name] !== '*');
  return [`\`${line.strategy}\``, ...given.map((name) => `${name}=${line[name]}`)].join(' ');
}

function table(what, lines) {
  const cell = (value) => (value === '=' ? 'as 6.18' : `\`${value}\``);
  return [
    `| ${what} | ${COLUMNS.join(' | ')} | changed in | why |`,
    `|---|${COLUMNS.map(() => '---|').join('')}---|---|`,
    ...lines.map(
      (line) =>
        `| ${line.what} | ${COLUMNS.map((column) => cell(line[column])).join(' | ')} | ${line['changed in']} (${line.commit}) | ${line.why} |`,
    ),
  ].join('\n');
}
