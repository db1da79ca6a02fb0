/**
 * A row of the survey of programs, measured: a client is started eleven times for each of two destinations, with eight ports and one address,
 * and whoever gets a connection holds it. What it does with its sockets is seen in its system calls.
 */
import type { Measurement } from '../agent/protocol.js';
import { mentionsOf } from '../explain/errno.js';
import { SURVEY_PORTS, type SurveyRow } from '../explain/survey.js';
import { netnsLab } from '../lab/netns.js';
import { loadProfile } from '../profile/load.js';

const TIMES = 11;
/** Documentation addresses and private ones, as in the rows that there are; every address is served here. */
const HOST = '192.0.2.10';
export const SURVEY_LOWEST = 41_000;
export const PORTS = [8080, 8081] as const;
/** The only address of the clients. */
export const SURVEY_SOURCE = '10.9.0.1';
/** What is printed last: how many ended with which code. */
const ENDED = 'survey: ended with code';
const ENDS = new RegExp(`^${ENDED} (\\d+) (\\d+)$`);
const USUAL_SECONDS = 10;

/** What was seen of a client. */
export interface Surveyed {
  /** How the sockets that connected got their ports, the most frequent first. */
  readonly strategies: readonly string[];
  /** Connections to the first destination, and to both. */
  readonly held: readonly [number, number];
  /** Calls that were refused, in their order by number. */
  readonly failing: readonly string[];
  /** What the program printed last. */
  readonly tail: readonly string[];
  /** `exit 7` → clients that had ended so, others were still running. */
  readonly exits: Readonly<Record<string, number>>;
}

/** How long the clients have. */
export interface SurveyEnd {
  /** Connections that end the run when all others have ended. */
  readonly held?: number;
  /** Seconds after which it is ended otherwise. */
  readonly seconds?: number;
  /** As a profile has it. */
  readonly whatIf?: object;
}

/**
 * Run a client in the lab until its ports are used up. Rejects with what could not be done.
 * @param command for bash, with the words HOST, PORT and SOURCE
 * @example await survey('curl -s --interface SOURCE http://HOST:PORT/', { held: 16 })
 */
export async function survey(command: string, { held, seconds, whatIf }: SurveyEnd = {}): Promise<Surveyed> {
  const all = PORTS.length * TIMES;
  const limit = seconds ?? (held === undefined ? USUAL_SECONDS : 4 * USUAL_SECONDS);
  const script = surveyScript(command, HOST, PORTS, all - (held ?? 0), limit);
  return whatWasSeen(await runSurvey(script, limit, whatIf));
}

/**
 * The clients of a survey as a script for bash: as many for each destination, which are ended when time is up.
 * @param command with the words HOST, PORT and SOURCE @param most clients that are waited for @param limit seconds
 * @param atEnd lines for before they are ended
 */
export function surveyScript(
  command: string,
  host: string,
  ports: readonly number[],
  most: number,
  limit: number,
  atEnd: readonly string[] = [],
): string {
  const one = (port: number) =>
    command.replaceAll('HOST', host).replaceAll('PORT', String(port)).replaceAll('SOURCE', SURVEY_SOURCE);
  // Each is a job with a process group of its own (set -m), so that a pipe ends whole.
  const start = ports.map(
    (port) => `for i in {1..${TIMES}}; do { { ${one(port)}; }; echo $? >> {dir}/ended; } < /dev/null & done`,
  );
  const ended = 'n=$(wc -l 2>/dev/null < {dir}/ended || echo 0)';
  const untilEnded = (count: number, seconds: number) =>
    `while ${ended}; [ $n -lt ${count} ] && [ $SECONDS -lt ${seconds} ]; do sleep 0.1; done`;
  return [
    'set -m',
    start[0]!,
    // The second destination gets what the first has left: ports of a pool that both share are the first's.
    ...start.slice(1).flatMap((each) => [untilEnded(TIMES - SURVEY_PORTS, Math.ceil(limit / 2)), each]),
    // Where the shell tells of jobs that were killed would be no room for what they said.
    'exec 2>/dev/null',
    untilEnded(most, limit),
    ...atEnd,
    'for job in $(jobs -p); do kill -KILL -- -$job; done',
    `wait; sort {dir}/ended | uniq -c | while read count code; do echo "${ENDED} $code $count"; done`,
  ].join('\n');
}

/** Run such a script in the lab, with the ports of a survey and one address. Rejects with what could not be done. */
export async function runSurvey(script: string, limit: number, whatIf?: object): Promise<Measurement> {
  const profile = {
    name: 'survey',
    subject: {
      kind: 'program',
      command: ['/bin/bash', '-c', script],
      origin: { delay: '600s' },
      ...(whatIf ? { whatIf } : {}),
    },
    addresses: { list: [SURVEY_SOURCE] },
    load: { arrival: { shape: 'own', duration: `${3 * limit + 30}s` } },
    sysctls: { 'net.ipv4.ip_local_port_range': `${SURVEY_LOWEST} ${SURVEY_LOWEST + SURVEY_PORTS - 1}` },
    // A profile has a variant, and this one is not run.
    variants: [{ name: 'none', sysctls: { 'net.ipv4.ip_local_port_range': '41000 41999' } }],
  };
  return run(JSON.stringify(profile));
}

async function run(profile: string): Promise<Measurement> {
  const { experiment } = loadProfile(profile, 'survey.yaml');
  const session = await netnsLab().open('run');
  try {
    const spec = { seed: 1, network: 'veth', ownNamespace: true, sampleMs: 1000 } as const;
    session.send({ type: 'run', spec: { arm: experiment.arms[0]!, ...spec } });
    for (;;) {
      const event = await session.next();
      if (event.type === 'result') return event.measurement;
      if (event.type === 'failed') throw new Error(`${event.message}\n${session.stderr()}`);
    }
  } finally {
    await session.close();
  }
}

function whatWasSeen({ proxy }: Measurement): Surveyed {
  const { ways: all = [], failures = [] } = proxy?.syscalls ?? {};
  const ways = all.filter(({ to }) => PORTS.some((port) => to === `${HOST}:${port}`));
  const to = (port: number) =>
    ways.filter((way) => way.to === `${HOST}:${port}`).reduce((sum, { connections }) => sum + connections, 0);
  return {
    strategies: [...new Set(ways.map(({ strategy }) => strategy))],
    held: [to(PORTS[0]), to(PORTS[0]) + to(PORTS[1])],
    failing: [...new Set(failures.map(({ call, errno }) => `${call}:${errno}`))],
    ...endsOf(proxy?.tail ?? []),
  };
}

/** What the clients printed last, and how they ended. */
export function endsOf(lines: readonly string[]): Pick<Surveyed, 'tail' | 'exits'> {
  const exits: Record<string, number> = {};
  const tail: string[] = [];
  for (const line of lines) {
    const [, code, count] = ENDS.exec(line) ?? [];
    if (code === undefined) tail.push(line);
    else exits[`exit ${code}`] = Number(count);
  }
  return { tail, exits };
}

/** What is known of a client beside what was seen of it. */
export type Named = Pick<SurveyRow, 'program' | 'version' | 'suite' | 'date' | 'option'>;

/**
 * What was seen, as a row of the survey. Pure.
 * @throws Error when the client never connected, never ran out of ports, or did not hold its connections: then nothing was measured
 */
export function surveyRow(named: Named, { strategies, held, failing: all, tail, exits }: Surveyed): SurveyRow {
  // Others are refused for what is no shortage: a family that a socket does not have.
  const failing = all.filter((text) => text.includes(':EADDR'));
  const said = tail.length > 0 ? `; it printed:\n${tail.slice(-10).join('\n')}` : '; it printed nothing';
  const [strategy] = strategies;
  if (strategy === undefined)
    throw new Error(`${named.program} made no connection to HOST:PORT: look at the command, and run it by hand${said}`);
  if (failing.length === 0)
    throw new Error(
      `no call was refused, so that its ports never ran out (held: ${held.join(', ')}): it must hold its connections, and be started once for each${said}`,
    );
  if (held[0] > SURVEY_PORTS && !/explicit|^local/.test(strategy))
    throw new Error(
      `${held[0]} connections to one destination had ${SURVEY_PORTS} ports, so that some were used again: it must hold its connections${said}`,
    );
  const running = PORTS.length * TIMES - Object.values(exits).reduce((sum, count) => sum + count, 0);
  return {
    ...named,
    strategy,
    options: '',
    held,
    failing,
    line: lineOf(tail, failing),
    client: JSON.stringify({ ...(running > 0 ? { running } : {}), ...exits }),
    note: strategies.length > 1 ? `also ${strategies.slice(1).join(', ')}` : '',
  };
}

/** The line in which it says that a call was refused; empty where it says nothing of the kind. */
function lineOf(tail: readonly string[], failing: readonly string[]): string {
  const calls = failing.map((text) => text.split(':') as [call: string, errno: string]);
  const names = (line: string) => mentionsOf(line).some((said) => calls.some(([, errno]) => errno === said.errno));
  const naming = tail.filter(names);
  const line =
    naming.find((each) => calls.some(([call]) => each.includes(call))) ??
    naming[0] ??
    tail.find((each) => /fail|error|unable|cannot|can't|could not/i.test(each));
  return (line ?? '').replaceAll('\t', ' ').trim();
}
