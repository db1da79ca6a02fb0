/**
 * The peers: load generators that people use, and what each must be told so that all do the same work: GETs, each on a connection of
 * its own, so many in flight, on one thread. The origin closes first, so nobody runs out of ports. Pure.
 */
import type { StrategyName } from '../src/domain/strategy.js';

/** A GET each on a connection of its own. Plain data: it crosses to other processes. */
export interface HttpWork {
  readonly requests: number;
  /** Connections at once. */
  readonly inFlight: number;
  /** For those that count no requests. */
  readonly seconds: number;
}

export interface Peer {
  readonly name: string;
  /** What makes the connections. */
  readonly program: Program;
  /** Of bindstorm: how the source is bound. Of others: whether they are told a source address. */
  readonly strategy?: StrategyName;
  readonly source?: true;
  /** The row of bindstorm that does the same to the source; `bindstorm` otherwise. */
  readonly against?: PeerName;
  /** Where it comes from, for the one who does not have it; null: with this package. */
  readonly from: string | null;
  readonly remark?: string;
}

export type Program = 'socket engine' | 'HTTP engine' | 'wrk' | 'ab' | 'hey' | 'httperf' | 'autocannon' | 'undici';
/** What runs as a process of its own. */
export type OtherProgram = Exclude<Program, `${string} engine`>;

const AB = 'apt-get install apache2-utils';

const ROWS = [
  {
    name: 'bindstorm',
    program: 'socket engine',
    strategy: 'connect',
    from: null,
    remark: 'socket engine; no source, as the others',
  },
  {
    name: 'wrk',
    program: 'wrk',
    from: 'apt-get install wrk',
    remark: 'counts no requests: runs for as long as bindstorm takes',
  },
  { name: 'ab', program: 'ab', from: AB },
  { name: 'hey', program: 'hey', from: 'apt-get install hey', remark: 'GOMAXPROCS=1' },
  {
    name: 'httperf',
    program: 'httperf',
    from: 'apt-get install httperf',
    remark: 'one connection at a time; waits by polling',
  },
  {
    name: 'autocannon',
    program: 'autocannon',
    from: 'npm ci in bench/peers',
    remark: 'ends at whole seconds: look at the CPU',
  },
  { name: 'undici', program: 'undici', from: null, remark: 'undici-client.ts' },
  {
    name: 'bindstorm, HTTP engine',
    program: 'HTTP engine',
    strategy: 'connect',
    from: null,
    remark: 'undici, a client each connection',
  },
  {
    name: 'bindstorm, bind',
    program: 'socket engine',
    strategy: 'bind',
    from: null,
    remark: 'from here on with a source address',
  },
  { name: 'ab -B', program: 'ab', source: true, against: 'bindstorm, bind', from: AB },
  { name: 'bindstorm, bind-reuseaddr', program: 'socket engine', strategy: 'bind-reuseaddr', from: null },
  {
    name: 'undici, localAddress',
    program: 'undici',
    source: true,
    against: 'bindstorm, bind-reuseaddr',
    from: null,
    remark: 'libuv sets SO_REUSEADDR',
  },
  {
    name: 'bindstorm, bind-no-port',
    program: 'socket engine',
    strategy: 'bind-no-port',
    from: null,
    remark: 'no peer can',
  },
] as const;
export type PeerName = (typeof ROWS)[number]['name'];
export const PEERS: readonly (Peer & { readonly name: PeerName })[] = ROWS;

/** The command line of a peer that is a program of its own. */
export function commandOf(
  program: OtherProgram,
  { requests, inFlight, seconds }: HttpWork,
  { address, port }: { readonly address: string; readonly port: number },
  /** What to bind to; undefined: nothing. */
  source: string | undefined,
  programs: { readonly node: string; readonly autocannon: string; readonly undici: string },
): string[] {
  const url = `http://${address}:${port}/`;
  switch (program) {
    case 'wrk':
      return ['wrk', '-t', '1', '-c', `${inFlight}`, '-d', `${seconds}s`, '-H', 'Connection: close', url];
    case 'ab':
      return ['ab', '-q', ...(source ? ['-B', source] : []), '-n', `${requests}`, '-c', `${inFlight}`, url];
    case 'hey':
      return ['hey', '-n', `${requests}`, '-c', `${inFlight}`, '-disable-keepalive', '-cpus', '1', url];
    case 'httperf':
      return ['httperf', '--server', address, '--port', `${port}`, '--uri', '/', '--num-conns', `${requests}`];
    case 'autocannon':
      return [programs.node, programs.autocannon, '-j', '-c', `${inFlight}`, '-a', `${requests}`, '-D', '1', url];
    case 'undici':
      return [programs.node, programs.undici, JSON.stringify({ requests, inFlight, url, source })];
  }
}

export interface PeerCount {
  /** Requests that were answered with 200. */
  readonly ok: number;
  readonly failed: number;
  /** By its own clock. */
  readonly seconds: number;
}

/** What a peer says that it did. @throws Error when it does not say */
export function countOf(name: OtherProgram, output: string): PeerCount {
  const number = (pattern: RegExp): number => {
    const found = pattern.exec(output)?.[1];
    if (found === undefined) throw new Error(`${name} said nothing of ${pattern.source}:\n${output.slice(0, 2000)}`);
    return Number(found);
  };
  const optional = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? 0);
  switch (name) {
    case 'wrk': {
      const errors =
        /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output)?.slice(1) ?? [];
      const bad = optional(/Non-2xx or 3xx responses: (\d+)/);
      const failed = errors.reduce((sum, text) => sum + Number(text), 0) + bad;
      return { ok: number(/(\d+) requests in/) - bad, failed, seconds: number(/requests in ([\d.]+)s/) };
    }
    case 'ab': {
      const failed = number(/Failed requests:\s+(\d+)/) + optional(/Non-2xx responses:\s+(\d+)/);
      return {
        ok: number(/Complete requests:\s+(\d+)/) - failed,
        failed,
        seconds: number(/Time taken for tests:\s+([\d.]+)/),
      };
    }
    case 'hey': {
      const errors = [...output.matchAll(/^\s+\[(\d+)\]\t(?!\d+ responses)/gm)].reduce(
        (sum, [, n]) => sum + Number(n),
        0,
      );
      return { ok: number(/\[200\]\t(\d+) responses/), failed: errors, seconds: number(/Total:\s+([\d.]+) secs/) };
    }
    case 'httperf':
      return {
        ok: number(/Reply status: 1xx=\d+ 2xx=(\d+)/),
        failed: number(/Errors: total (\d+)/),
        seconds: number(/test-duration ([\d.]+) s/),
      };
    case 'autocannon': {
      const result = JSON.parse(output.slice(output.indexOf('{'))) as {
        requests: { sent: number };
        errors: number;
        non2xx: number;
        duration: number;
      };
      // With a connection for each request it loses count of the answers; how many it made, the origin confirms.
      return { ok: result.requests.sent, failed: result.errors + result.non2xx, seconds: result.duration };
    }
    case 'undici':
      return JSON.parse(output) as PeerCount;
  }
}

/** Seconds, user and system, of the children of a shell that said `times` last (POSIX, times: the second line). */
export function childSeconds(times: string): number {
  const fields = [
    ...times
      .trim()
      .split('\n')
      .at(-1)!
      .matchAll(/(\d+)m([\d.]+)s/g),
  ];
  if (fields.length !== 2) throw new Error(`not what times prints: ${times}`);
  return fields.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}
