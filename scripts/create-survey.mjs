// Measures a program in the lab and writes its row into programs/survey.tsv:
//   npm run create:survey -- telnet --option=-b 'telnet -b SOURCE HOST PORT'
// The program must be installed. Its version is that of its Debian package (--package, else the name). --into FILE writes elsewhere, for the
// test of this script.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { survey, surveyRow } from '../dist/src/experiment/survey.js';
import { formatSurvey, parseSurvey, withRow } from '../dist/src/explain/survey.js';

/** In the words of dpkg-query(1). */
const VERSION = '$' + '{Version}';
const USAGE = `npm run create:survey -- NAME [--option TEXT] [--package NAME] [--for SECONDS] 'COMMAND with HOST, PORT and SOURCE'
  NAME       of the program in the survey: lower-case letters, digits and dashes
  --option   how it is given its source address (default: no source address)
  --package  the Debian package that has it (default: NAME)
  --for      seconds that the clients have (default: 10)
  COMMAND    for bash: one client, that connects to HOST, port PORT, from the address SOURCE, and holds its connection. The other side answers
             HTTP only after ten minutes, and everything else never`;

const { values, positionals } = parsed();
const [name, command] = positionals;
if (positionals.length !== 2 || !/^[a-z0-9][a-z0-9-]{0,40}$/.test(name))
  refuse(`give a name and one command:\n${USAGE}`);
for (const word of ['HOST', 'PORT']) if (!command.includes(word)) refuse(`the command has no ${word}:\n${USAGE}`);
const seconds = Number(values.for ?? 10);
if (!(seconds >= 1 && seconds <= 600)) refuse('--for takes 1 to 600 seconds');
const option = values.option ?? 'no source address';
if (command.includes('SOURCE') !== (values.option !== undefined))
  refuse(
    '--option says how the program is given its source address: give it where the command has SOURCE, and only there',
  );

const file = values.into ?? join(dirname(fileURLToPath(import.meta.url)), '../programs/survey.tsv');
const rows = parseSurvey(readFileSync(file, 'utf8'));
const named = {
  program: name,
  ...installed(values.package ?? name),
  date: new Date().toISOString().slice(0, 10),
  option,
};
try {
  const row = surveyRow(named, await survey(command, { seconds }));
  writeFileSync(file, formatSurvey(withRow(rows, row)));
  console.log(`written: ${name} ${row.version}, ${option}: ${row.strategy}, held ${row.held.join(', ')}, ${row.failing.join(' ')}
  says: ${row.line || 'nothing'}
  client: ${row.client}
next: npm run schema (docs/programs.md), and put the line to bindstorm explain`);
} catch (error) {
  refuse(error.message);
}

function parsed() {
  const text = { type: 'string' };
  try {
    return parseArgs({ allowPositionals: true, options: { option: text, package: text, for: text, into: text } });
  } catch (error) {
    return refuse(`${error.message}\n${USAGE}`);
  }
}

/** Version and suite of a Debian package. */
function installed(name) {
  try {
    const version = execFileSync('dpkg-query', ['-W', '-f', VERSION, name], { encoding: 'utf8', stdio: 'pipe' });
    if (version === '') throw new Error('not installed');
    const [, suite] = /^VERSION_CODENAME=(\S+)$/m.exec(readFileSync('/etc/os-release', 'utf8')) ?? [];
    return { version, suite: suite ?? 'unknown' };
  } catch {
    return refuse(
      `the Debian package ${name} is not installed: apt-get install ${name}, or name its package by --package`,
    );
  }
}

function refuse(why) {
  console.error(why);
  process.exit(2);
}
