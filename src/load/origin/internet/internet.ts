/**
 * The origin of a program that talks to whomever it likes: one listener and one resolver for all addresses of the namespace.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { divertTcp } from '../../../kernel/nftables.js';
import type { OriginSeen } from '../../../results/figures.js';
import type { Internet as InternetSettings } from '../../../subjects/internet.js';
import { makeAuthority } from '../certificate.js';
import { BACKLOG } from '../listen.js';
import { wrongSource } from '../sources.js';
import { serveDatagrams, transparentSocket } from './any-address.js';
import { answerQuery, createNames, UDP_BYTES } from './dns.js';
import { createInternet, DNS_PORT } from './serve-anything.js';
import { createVisitBook } from './visits.js';

/** What TPROXY diverts to. Whoever connects to this port arrives like all others. */
const PORT = 1;

export interface RunningInternet {
  /** The certificate of the authority that all others are of, PEM. */
  readonly authority: string;
  /** Connections, whatever came of them. */
  accepted(): number;
  seen(): OriginSeen;
}

/**
 * Answer for every address that is local here, until the process ends.
 * @param own the addresses of the n-th name
 * @param requests after which nothing more is counted; null: all is
 * @param sources the addresses that connections are expected from; undefined: nobody asks
 * @throws SystemCallError when the kernel has no TPROXY, or refuses
 */
export async function startInternet(
  { origin, names: table }: InternetSettings,
  own: (nth: number) => readonly string[] | undefined,
  requests: number | null,
  sources?: readonly string[],
): Promise<RunningInternet> {
  const names = createNames(table, own);
  const authority = makeAuthority();
  const book = createVisitBook(
    names,
    () => performance.now(),
    requests ?? Number.POSITIVE_INFINITY,
    sources !== undefined,
  );
  const isWrong = sources ? wrongSource(sources) : () => false;
  divertTcp(PORT);
  const server = createServer(
    { allowHalfOpen: true },
    createInternet({ answer: origin, names, authority, book, isWrong }),
  );
  await once(server.listen({ fd: transparentSocket(PORT), backlog: BACKLOG }), 'listening');
  serveDatagrams(DNS_PORT, (query) => answerQuery(query, names, UDP_BYTES));
  return { authority: authority.certificate, accepted: book.accepted, seen: book.seen };
}
