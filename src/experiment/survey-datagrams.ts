/**
 * A row of the survey of clients of UDP, measured: as one of TCP (survey.ts), but that nothing is ever answered, and that a client is run for one
 * destination and again for two. The other side is in the clients' own namespace, where it is reached like any other.
 */
import { SURVEY_PORTS } from '../explain/survey.js';
import type { UdpRow } from '../explain/udp-survey.js';
import {
  endsOf,
  PORTS,
  runSurvey,
  SURVEY_LOWEST,
  SURVEY_SOURCE,
  type SurveyEnd,
  type Surveyed,
  surveyScript,
} from './survey.js';

const TIMES = 11;
/** Seconds; some clients take that long to start on a busy machine, and none ends sooner that waits for an answer. */
const USUAL_SECONDS = 20;
/** The eight ports as /proc/net/udp has them, in the column of local addresses; nobody else's is one of them. */
const [FIRST, LAST] = [SURVEY_LOWEST, SURVEY_LOWEST + SURVEY_PORTS - 1];
const HELD = 'survey: sockets';
const COUNT = [
  'n=0',
  `for f in /proc/net/udp /proc/net/udp6; do while read -r _ a _; do p=$((16#\${a##*:})); [ $p -ge ${FIRST} ] && [ $p -le ${LAST} ] && n=$((n+1)); done < <(tail -n +2 $f 2>/dev/null); done`,
  `held="${HELD} $n"`,
];

/** Listens and says nothing, so that no client is told that nobody is there (ICMP). */
const SILENT = `for (const port of [${PORTS}]) require('dgram').createSocket('udp4').bind(port, '${SURVEY_SOURCE}', () => require('fs').appendFileSync(process.argv[1], port + '\\n'))`;

/**
 * Run a client of UDP in the lab until its ports are used up. Rejects with what could not be done.
 * @param command for bash, with the words HOST, PORT and SOURCE @param end as of a survey of TCP, for each of the two runs
 * @returns as `strategies` how its sockets got their ports, as `held` how many had one at once, with one destination and with two
 * @example await surveyDatagrams('nc -u -p 0 -s SOURCE HOST PORT')
 */
export async function surveyDatagrams(
  command: string,
  end: Pick<SurveyEnd, 'held' | 'seconds'> = {},
): Promise<Surveyed> {
  const one = await ask(command, PORTS.slice(0, 1), end);
  const two = await ask(command, PORTS, end);
  return { ...two, held: [one.sockets, two.sockets] };
}

async function ask(
  command: string,
  ports: readonly number[],
  { held = 0, seconds = USUAL_SECONDS }: Pick<SurveyEnd, 'held' | 'seconds'>,
) {
  const server = `"${process.execPath}" -e "${SILENT}" {dir}/listening & server=$!`;
  const ready =
    'until [ "$(wc -l 2>/dev/null < {dir}/listening || echo 0)" -ge 2 ]; do sleep 0.1; done; disown $server';
  const clients = surveyScript(command, SURVEY_SOURCE, ports, ports.length * TIMES - held, seconds, COUNT);
  const script = [server, ready, 'SECONDS=0', clients, 'kill -KILL $server; echo $held'].join('\n');
  const { proxy } = await runSurvey(script, seconds);
  const { failures = [], datagrams } = proxy?.syscalls ?? {};
  const strategies = Object.entries(datagrams?.strategies ?? {}).sort(([, a], [, b]) => b - a);
  const { tail, exits } = endsOf(proxy?.tail ?? []);
  const counted = tail.find((line) => line.startsWith(HELD));
  if (counted === undefined) throw new Error(`nobody counted the sockets; it printed:\n${tail.join('\n')}`);
  return {
    strategies: strategies.map(([name]) => name),
    sockets: Number(counted.slice(HELD.length)),
    failing: [...new Set(failures.map(({ call, errno }) => `${call}:${errno}`))],
    tail: tail.filter((line) => line !== counted && !/^\[\d+\][-+ ]/.test(line)),
    exits,
  };
}

/**
 * What was seen, as a row. Pure.
 * @throws Error when no socket of the client got a port from the kernel
 */
export function udpRow(
  named: Pick<UdpRow, 'program' | 'package' | 'version' | 'date' | 'option' | 'command'>,
  { strategies, held, failing, tail, exits }: Surveyed,
): UdpRow {
  const [strategy] = strategies;
  if (strategy === undefined)
    throw new Error(`no UDP socket of ${named.program} got a port from the kernel; it printed:\n${tail.join('\n')}`);
  const line = tail.find((each) => /unavailable|in use|EAGAIN|EADDRINUSE/i.test(each)) ?? '';
  const ends = Object.entries(exits).map(([how, count]) => `${count} × ${how}`);
  return {
    ...named,
    strategy,
    held,
    failing: failing.filter((text) => /:(?:EAGAIN|EADDRINUSE)$/.test(text)),
    line: line.replaceAll('\t', ' ').trim(),
    client: ends.join(', '),
  };
}
