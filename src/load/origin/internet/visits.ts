/**
 * What the lab's internet sees of a program: connections and requests by destination, who closed first, how long connections lay idle.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { formatTarget } from '../../../domain/format.js';
import { printable } from '../../../domain/printable.js';
import type { OriginSeen } from '../../../results/figures.js';
import type { Names } from './dns.js';

const MOST_DESTINATIONS = 32;
const MOST_AGENTS = 16;
const AGENT_CHARACTERS = 120;
/** Of so many connections that their client closed the idle time is kept. */
const MOST_IDLE = 10_000;

/** One connection. */
export interface Visit {
  /** A request came, and is answered now. */
  request(method: string, headers: IncomingHttpHeaders): void;
  /** An answer has gone out. */
  answered(): void;
  /** Someone was seen to close; the first who does counts. */
  closes(who: 'client' | 'server' | 'reset'): void;
  /** The connection is gone. */
  end(): void;
}

export interface VisitBook {
  /** @param address that the client connected to, and its port @param stray whether it came from an address that it was not to use */
  begin(address: string, port: number, stray?: boolean): Visit;
  accepted(): number;
  seen(): OriginSeen;
}

/** Of what is not counted any more. */
const NOBODY: Visit = { request() {}, answered() {}, closes() {}, end() {} };

/**
 * @param now milliseconds
 * @param most requests that are counted, and the connections up to the last of them
 * @param asked whether connections from addresses that were not expected are counted
 */
export function createVisitBook(
  names: Pick<Names, 'nameOf'>,
  now: () => number,
  most = Number.POSITIVE_INFINITY,
  asked = false,
): VisitBook {
  const destinations = new Map<string, { to: string; connections: number; requests: number }>();
  const agents = new Map<string, number>();
  const heads = new Map<string, number>();
  const closedFirst = { client: 0, server: 0, reset: 0, open: 0 };
  const idle: number[] = [];
  let accepted = 0;
  let requests = 0;
  let used = 0;
  let strays = 0;

  function countHead(method: string, { connection, 'user-agent': agent = '' }: IncomingHttpHeaders): void {
    for (const word of ['close', 'keep-alive']) if (connection?.toLowerCase().includes(word)) count(heads, word);
    for (const word of ['HEAD', 'POST']) if (method === word) count(heads, word);
    const name = printable(agent.slice(0, AGENT_CHARACTERS));
    if (agents.has(name) || agents.size < MOST_AGENTS) count(agents, name);
  }

  return {
    begin(address, port, stray = false) {
      if (requests >= most) return NOBODY;
      const to = formatTarget({ address: names.nameOf(address) ?? address, port });
      const destination = destinations.get(to) ?? { to, connections: 0, requests: 0 };
      destinations.set(to, destination);
      destination.connections++;
      accepted++;
      if (stray) strays++;
      closedFirst.open++;
      let own = 0;
      let first: 'client' | 'server' | 'reset' | undefined;
      let ended = false;
      let quietSince = now();
      const closes = (who: 'client' | 'server' | 'reset') => {
        if (first !== undefined) return;
        first = who;
        closedFirst[who]++;
        closedFirst.open--;
        if (who !== 'server' && own > 0 && idle.length < MOST_IDLE) idle.push(now() - quietSince);
      };
      return {
        request(method, headers) {
          if (requests >= most) return;
          if (own++ === 0) used++;
          requests++;
          destination.requests++;
          countHead(method, headers);
        },
        answered: () => {
          quietSince = now();
        },
        closes,
        end() {
          if (!ended) closes('server');
          ended = true;
        },
      };
    },
    accepted: () => accepted,
    seen: () => ({
      requests,
      used,
      closedFirst: { ...closedFirst },
      ...(asked ? { wrongSource: strays } : {}),
      idle: idleOf(idle),
      destinations: [...destinations.values()]
        .sort((a, b) => b.connections - a.connections)
        .slice(0, MOST_DESTINATIONS)
        .map((each) => ({ ...each })),
      agents: Object.fromEntries(agents),
      heads: Object.fromEntries(heads),
    }),
  };
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function idleOf(times: readonly number[]): { p50: number; max: number } | null {
  if (times.length === 0) return null;
  const sorted = [...times].sort((a, b) => a - b);
  return { p50: sorted[(sorted.length - 1) >> 1]!, max: sorted.at(-1)! };
}
