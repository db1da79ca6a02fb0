/**
 * A row of the survey of programs, measured: a client is started eleven times for each of two destinations, with eight ports and one address,
 * and whoever gets a connection holds it.
 */
import { SURVEY_PORTS } from '../../src/explain/survey.js';
import { loadProfile } from '../../src/profile/load.js';
import { measure } from './lab.js';

const TIMES = 11;
const HOST = '203.0.113.10';
const PORTS = [8080, 8081] as const;
const SOURCE = '10.50.0.1';

export interface Surveyed {
  /** How the sockets that connected got their ports. */
  readonly strategies: readonly string[];
  /** Connections to the first destination, and to both. */
  readonly held: readonly [number, number];
  /** Calls that were refused, in their order by number. */
  readonly failing: readonly string[];
  /** What the program printed last. */
  readonly tail: readonly string[];
}

/**
 * Run a client in the lab until its ports are used up.
 * @param command for bash, with the words HOST, PORT and SOURCE
 * @param held connections that end the run when all others have ended; without it, it ends after ten seconds
 * @param whatIf as a profile has it
 * @example await survey('curl -s --interface SOURCE http://HOST:PORT/', 16)
 */
export async function survey(command: string, held?: number, whatIf?: object): Promise<Surveyed> {
  const one = (port: number) =>
    command.replaceAll('HOST', HOST).replaceAll('PORT', String(port)).replaceAll('SOURCE', SOURCE);
  // Each is a job with a process group of its own (set -m), so that a pipe ends whole.
  const start = PORTS.map((port) => `for i in {1..${TIMES}}; do { ${one(port)}; } < /dev/null & done`);
  const end =
    held === undefined
      ? 'wait'
      : `while [ $(jobs -rp | wc -l) -gt ${held} ]; do sleep 0.1; done; for job in $(jobs -p); do kill -KILL -- -$job; done`;
  const profile = {
    name: 'survey',
    subject: {
      kind: 'program',
      command: ['/bin/bash', '-c', `set -m; ${start.join('; ')}; ${end}`],
      origin: { delay: '60s' },
      ...(whatIf ? { whatIf } : {}),
    },
    addresses: { list: [SOURCE] },
    load: { arrival: { shape: 'own', duration: held === undefined ? '10s' : '40s' } },
    sysctls: { 'net.ipv4.ip_local_port_range': `41000 ${41_000 + SURVEY_PORTS - 1}` },
    variants: [{ name: 'none', sysctls: { 'net.ipv4.ip_local_port_range': '41000 41999' } }],
  };
  const { experiment } = loadProfile(JSON.stringify(profile), 'survey.yaml');
  const { proxy } = await measure(experiment.arms[0]!);
  const { ways = [], failures = [] } = proxy?.syscalls ?? {};
  const to = (port: number) =>
    ways.filter((way) => way.to === `${HOST}:${port}`).reduce((sum, { connections }) => sum + connections, 0);
  return {
    strategies: [...new Set(ways.map(({ strategy }) => strategy))],
    held: [to(PORTS[0]), to(PORTS[0]) + to(PORTS[1])],
    failing: [...new Set(failures.map(({ call, errno }) => `${call}:${errno}`))],
    tail: proxy?.tail ?? [],
  };
}
