// docs/programs.md, from the survey of programs.
import { goesOnUnbound, parseSurvey, remedyOf, SURVEY_PORTS } from '../dist/src/explain/survey.js';

/** When the rows were measured: one day, or the first and the last. */
function days(rows) {
  const dates = rows.map(({ date }) => date).sort();
  const [first, last] = [dates[0], dates.at(-1)];
  return first === last ? `on ${first}` : `from ${first} to ${last}`;
}

const cell = (text) => text.replaceAll('|', '\\|');

export function programsPage(text) {
  const rows = parseSurvey(text);
  const programs = new Set(rows.map(({ program }) => program)).size;
  const unbound = [...new Set(rows.filter(goesOnUnbound).map(({ program }) => program))];
  const line = ({ program, version, option, strategy, held: [one, two], failing, note, ...row }) =>
    `| ${[
      program,
      version,
      option,
      strategy,
      one === null ? '' : `${one}, ${two}`,
      failing.join(', '),
      goesOnUnbound({ note }) ? 'goes on unbound' : '',
      remedyOf({ strategy, failing, ...row }),
    ]
      .map(cell)
      .join(' | ')} |`;
  return `# How programs get their local ports

Made from \`programs/survey.tsv\` by \`npm run schema\`; do not edit ([add a row](how-to/add-a-program.md)). \`bindstorm programs NAME\` has each row whole, with the program's own
line and what its client sees.

${rows.length} rows of ${programs} programs, measured on Linux 6.18 ${days(rows)}: each was run in a network namespace of its own with ${SURVEY_PORTS} ports and
one local address, 11 times to one destination and 11 times to a second, under strace, until its ports were used up. **held** is how many
connections it had to the first destination and to both. \`[leak]\`: all ports were held by connections of another program, so bind() fails
and an unbound connect() to another destination works. \`[full]\`: all ports were held, and then freed.

- **held 8, 8**: bind() chooses the port, one for each connection of the address: more destinations do not help.
- **held 8, 16**: connect() chooses it again for each destination.
- **Goes on unbound** (${unbound.join(', ')}): when bind() is refused, the program connects the same socket all the same. The connection
  leaves from another address than the one that was asked for, and works.
- **Poisons itself**: Exim writes the failure into its retry database against the remote host; Varnish does not try the backend for a while
  and logs \`fail errno 0 (Success)\`; pen leaves the server out for 30 s; unbound over TCP asks again after about 14 s.

| program | version | given its address by | strategy | held | fails with | then | helps |
| ------- | ------- | -------------------- | -------- | ---- | ---------- | ---- | ----- |
${rows.map(line).join('\n')}
`;
}
