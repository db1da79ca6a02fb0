// docs/programs.md, from the survey of programs.

import { goesOnUnbound, parseSurvey, remedyOf, SURVEY_PORTS } from '../dist/src/explain/survey.js';
import { parseUdpSurvey, remedyOfUdp } from '../dist/src/explain/udp-survey.js';

/** When the rows were measured: one day, or the first and the last. */
function days(rows) {
  const dates = rows.map(({ date }) => date).sort();
  const [first, last] = [dates[0], dates.at(-1)];
  return first === last ? `on ${first}` : `from ${first} to ${last}`;
}

const cell = (text) => text.replaceAll('|', '\\|');

/** @param text programs/survey.tsv @param udpText programs/udp.tsv */
export function programsPage(text, udpText) {
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
- The rows of this table are of TCP; [clients of UDP](#clients-of-udp) have one of their own.
- **Goes on unbound** (${unbound.join(', ')}): when bind() is refused, the program connects the same socket all the same. The connection
  leaves from another address than the one that was asked for, and works.
- **Poisons itself**: Exim writes the failure into its retry database against the remote host; Varnish does not try the backend for a while
  and logs \`fail errno 0 (Success)\`; pen leaves the server out for 30 s; unbound over TCP asks again after about 14 s.

| program | version | given its address by | strategy | held | fails with | then | helps |
| ------- | ------- | -------------------- | -------- | ---- | ---------- | ---- | ----- |
${rows.map(line).join('\n')}

${udpPart(udpText)}`;
}

/** Clients of UDP, of which a port serves one whatever the destinations. */
function udpPart(text) {
  const rows = parseUdpSurvey(text);
  const programs = new Set(rows.map(({ program }) => program)).size;
  const line = (row) =>
    `| ${[row.program, row.version, row.option, row.strategy, row.held.join(', '), row.failing.join(', '), row.client, row.line, remedyOfUdp(row)].map(cell).join(' | ')} |`;
  return `## Clients of UDP

Made from \`programs/udp.tsv\`, which has the command of each row (\`npm run survey:udp\` measures them again). ${rows.length} rows of ${programs} programs, measured on Linux 6.18
${days(rows)} in the same way: ${SURVEY_PORTS} ports, one address, 11 clients to one destination, then 11 and 11 to two, under strace. Nobody answers, so that each keeps its
socket. **held** is how many sockets had a port at the end, with one destination and with two.

- **held 8, 8**: a port has one socket, whatever it talks to: [more destinations never help](udp.md).
- **held 11, 22**: the program sets SO_REUSEADDR or SO_REUSEPORT, so that no call fails and sockets share ports: of those with one port [one gets the
  answers of all](udp.md#why-sharing-is-not-a-remedy).
- **held 0, 0**: it had given up waiting for an answer when sockets were counted.
- Where *its clients* is empty, all were still running, those without a port too: perl-io-socket and ruby-udpsocket
  take EAGAIN of connect() for a connection under way, and go on without a peer; turnutils-stunclient waits for an answer all the same.
- How unbound, dnsdist and coturn get their ports is [measured too](udp.md#servers-of-udp-as-the-program-under-test); a browser or another client of QUIC has a
  socket for each connection, as \`gtlsclient\` here, or one for all, as the profile \`quic-clients\` compares.

| program | version | given its address by | strategy | held | fails with | its clients | says | helps |
| ------- | ------- | -------------------- | -------- | ---- | ---------- | ----------- | ---- | ----- |
${rows.map(line).join('\n')}
`;
}
