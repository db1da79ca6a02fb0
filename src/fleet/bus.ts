/**
 * A connection to the server of a fleet, in the few words that the fleet needs of it. The only file that knows the client library.
 *
 * Nothing here is read through a consumer but the work queue: streams are read message by message, by subject and number, so that there is
 * nothing to make again after a server was restarted, and nothing that is delivered twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import {
  connect,
  credsAuthenticator,
  type NatsConnection,
  NoRespondersError,
  nkeyAuthenticator,
  tokenAuthenticator,
} from '@nats-io/transport-node';
import { EXIT, messageOf, UserError } from '../domain/error.js';
import { type Access, CREDS_VARIABLE, KEY_VARIABLE, TOKEN_VARIABLE } from './access.js';
import { wantsCertificate } from './server-info.js';

/** A message of a stream. */
interface Stored {
  readonly subject: string;
  /** Its number in the stream. */
  readonly seq: number;
  readonly data: Uint8Array;
  /** When the server took it, by the server's clock. */
  readonly time: Date;
}

/** A unit from the queue, until it is said what became of it. */
export interface Pulled {
  readonly data: Uint8Array;
  /** How often it was given to an agent, this time included. */
  readonly deliveries: number;
  /** It goes on: it is not to be given to another. */
  working(): void;
  /** It is done. Nothing is decided by this: a server takes late ones too. */
  done(): void;
  /** Another agent is to have it, after so many milliseconds. */
  giveBack(ms: number): void;
}

/** Requests that are not answered reject with NoAnswer: all but `claim` and `put` without an id may be made again. */
export interface Bus {
  /** Bytes that a message may have. */
  readonly maxPayload: number;
  /** Milliseconds since there is no server; 0: there is one. */
  awayMs(): number;
  /**
   * How often the connection was made again. The server may have been killed meanwhile and started on what it had on its disk, which can lack
   * what it took last: what was read and written before is to be looked at again.
   */
  epoch(): number;
  /** Append to a stream; again under the same id it is known, and not stored twice. */
  put(subject: string, data: Uint8Array, id?: string): Promise<void>;
  /**
   * Append where the last message of the subject has this number; 0: where there is none.
   * @returns the number of the message; null: somebody else was faster
   */
  claim(subject: string, data: Uint8Array, last: number): Promise<number | null>;
  /** Whether the server says that there is no such stream. 2.9.10 gives no answer to last() and next() of one. */
  lacks(stream: string): Promise<boolean>;
  /** The newest message of a subject. */
  last(stream: string, subject: string): Promise<Stored | null>;
  /** The first message from a number on whose subject matches. */
  next(stream: string, filter: string, from: number): Promise<Stored | null>;
  /** The newest of each subject that matches, in no order. For controllers. */
  all(stream: string, filter: string): Promise<Stored[]>;
  /** A unit of a queue; null: there was none in `ms`, or the queue is gone. */
  pull(stream: string, consumer: string, ms: number): Promise<Pulled | null>;
  /** To whoever listens. */
  say(subject: string, data: Uint8Array): void;
  /** @returns ends it */
  hear(subject: string, heard: (data: Uint8Array, answer: (data: Uint8Array) => void) => void): () => void;
  /** Rejects when nobody is there for some seconds, or the answer takes longer. */
  ask(subject: string, data: Uint8Array, ms: number): Promise<Uint8Array>;
  /** Requests to the server about its streams and consumers. */
  readonly manage: Awaited<ReturnType<typeof jetstreamManager>>;
  close(): Promise<void>;
}

/** No server, or none that lets us in. */
export class FleetError extends UserError {
  override name = 'FleetError';
  constructor(message: string, remedy?: string) {
    super(message, { remedy, exitCode: EXIT.noLab });
  }
}

/** A server that is away, or does not do as asked: asked again it may. */
export class NoAnswer extends FleetError {
  override name = 'NoAnswer';
  /** Nobody is there for what was asked: of a stream, that there is none. */
  readonly nobody: boolean;
  constructor(message: string, remedy: string, cause?: unknown) {
    super(message, remedy);
    this.nobody = isNobody(cause);
  }
}

function isNobody(error: unknown): boolean {
  return error instanceof NoRespondersError || (error instanceof Error && error.cause instanceof NoRespondersError);
}

/** Of one request; a server that is away longer than a moment is said to be away. */
const REQUEST_MS = 10_000;
/** A server that is refused answers at once; one that says nothing may be busy, as its machine is. */
const CONNECT_MS = 20_000;
/** A link over which nothing comes is taken for broken after two of these. */
const PING_MS = 2_000;
/** An agent says that it is there before it hears what it is asked: nobody hears it in the first moment, which is long on a busy machine. */
const HEARS_MS = 5_000;
const AGAIN_MS = 100;
/** Requests whose answers are waited for together. */
const AT_ONCE = 100;
/** nats-server: "wrong last sequence", "stream not found". */
const WRONG_LAST_SEQUENCE = 10_071;
const NO_STREAM = 10_059;

/** @param name as the server's monitoring shows it. Rejects with FleetError */
export async function openBus(access: Access, name: string): Promise<Bus> {
  const { url, seed, creds, token, ca, cert, key, role } = access;
  const connection = await connect({
    servers: url,
    name: `bindstorm ${role} ${name}`,
    inboxPrefix: inboxOf(role),
    timeout: CONNECT_MS,
    pingInterval: PING_MS,
    maxPingOut: 2,
    reconnectTimeWait: 250,
    maxReconnectAttempts: -1,
    // The client would give up after two errors of signing in, with success between them or not, and «Authentication Timeout» of a busy server
    // is one to it (findings/nats-js-gives-up-after-two-timeouts.sh).
    ignoreAuthErrorAbort: true,
    ignoreClusterUpdates: true,
    ...(seed ? { authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)) } : {}),
    ...(creds ? { authenticator: credsAuthenticator(new TextEncoder().encode(creds)) } : {}),
    ...(token ? { authenticator: tokenAuthenticator(token) } : {}),
    ...(ca || cert || url.startsWith('tls:') ? { tls: tlsFor(url, { ca, cert, key }) } : {}),
  }).catch(async (error: unknown) => {
    const isUntold = error instanceof Error && error.name === 'TimeoutError';
    throw isUntold && (await wantsCertificate(url)) ? noCertificate(url, error) : refusal(url, error);
  });
  try {
    refuseOld(url, connection.info?.version ?? '');
    return await busOver(connection);
  } catch (error) {
    await connection.close();
    throw error instanceof UserError
      ? error
      : new FleetError(`${url} has no JetStream (${messageOf(error)})`, JETSTREAM);
  }
}

/** Options of tls.connect(); where the client library has any, it refuses a server without TLS. */
function tlsFor(url: string, { ca, cert, key }: Pick<Access, 'ca' | 'cert' | 'key'>): object {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  return {
    // What is absent is not passed: it would replace what Node trusts.
    ...(ca ? { ca } : {}),
    ...(cert && key ? { cert, key } : {}),
    // @nats-io/transport-node 3.4.0 names no host where the URL has an address, and Node then looks for «localhost» in the certificate.
    checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(host, certificate),
  };
}

/** Where the answers to a role's requests come, so that the server keeps those of the other from it. */
export function inboxOf(role: Access['role']): string {
  return `_INBOX_${role}`;
}

const JETSTREAM = 'start nats-server with -js, or let `bindstorm fleet up` start it';

/** Direct get of the next message of a subject is of 2.9.0. @throws FleetError */
function refuseOld(url: string, version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 2 || (major === 2 && minor < 9))
    throw new FleetError(
      `the server at ${url} is of version ${version || '(none said)'}, and a fleet needs nats-server 2.9 or newer`,
      'update it; Debian 12 has 2.9.10',
    );
}

function noCertificate(url: string, error: unknown): FleetError {
  return new FleetError(
    `the server at ${url} wants a certificate of this client, and does not take this one or none (${messageOf(error)})`,
    'give one that it knows: bindstorm fleet up --nats URL --tls-ca FILE --tls-cert FILE --tls-key FILE',
  );
}

const TRUST =
  'name what it is signed with, once: bindstorm fleet up --nats URL --tls-ca FILE; then use the files that it writes';

function refusal(url: string, error: unknown): FleetError {
  const why = messageOf(error);
  if (/does not support 'tls'/.test(why))
    return new FleetError(
      `the server at ${url} has no TLS`,
      'give it a certificate, or name it as nats://… in a network that you trust',
    );
  if (/certificate|altnames|CERT_/i.test(why))
    return new FleetError(`the certificate of the server at ${url} is not trusted (${why})`, TRUST);
  // A server that is busy ends one that has taken too long to sign in: «Authentication Timeout».
  return /authoriz|authentic|nkey/i.test(why) && !/timeout/i.test(why)
    ? new FleetError(
        `the server at ${url} does not let this in (${why})`,
        `give the file that \`bindstorm fleet up\` has written instead of the URL, or the seed of an nkey in ${KEY_VARIABLE}, a credentials file in ${CREDS_VARIABLE}, or a token in ${TOKEN_VARIABLE}`,
      )
    : new NoAnswer(
        `no server of a fleet answers at ${url} (${why})`,
        'start one with `bindstorm fleet up`, or name the address of the one that runs',
      );
}

/** What a request came to. Rejects with NoAnswer */
async function answered<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    throw new NoAnswer(
      `the server of the fleet did not do as asked (${messageOf(error)})`,
      'see that it runs, and repeat the command; what was made is kept',
      error,
    );
  }
}

async function busOver(connection: NatsConnection): Promise<Bus> {
  const manage = await jetstreamManager(connection, { timeout: REQUEST_MS });
  const stream = jetstream(connection, { timeout: REQUEST_MS });
  let awaySince: number | null = null;
  let epoch = 0;
  const follow = async () => {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect' || type === 'staleConnection') awaySince ??= performance.now();
      if (type !== 'reconnect') continue;
      awaySince = null;
      epoch++;
    }
  };
  void follow();
  const last: Bus['last'] = async (name, subject) =>
    storedOf(await answered(manage.direct.getMessage(name, { last_by_subj: subject })));
  return {
    manage,
    maxPayload: connection.info?.max_payload ?? 1024 * 1024,
    awayMs: () => (awaySince === null ? 0 : performance.now() - awaySince),
    epoch: () => epoch,
    async put(subject, data, id) {
      await answered(stream.publish(subject, data, id === undefined ? {} : { msgID: id }));
    },
    async claim(subject, data, last) {
      try {
        return (await stream.publish(subject, data, { expect: { lastSubjectSequence: last } })).seq;
      } catch (error) {
        if (codeOf(error) === WRONG_LAST_SEQUENCE) return null;
        return answered(Promise.reject(error));
      }
    },
    last,
    lacks: (name) =>
      manage.streams.info(name).then(
        () => false,
        (error: unknown) => codeOf(error) === NO_STREAM,
      ),
    next: async (name, filter, from) =>
      storedOf(await answered(manage.direct.getMessage(name, { seq: from, next_by_subj: filter }))),
    async all(name, filter) {
      const { state } = await answered(manage.streams.info(name, { subjects_filter: filter }));
      const subjects = Object.keys(state.subjects ?? {});
      const found: Stored[] = [];
      for (let i = 0; i < subjects.length; i += AT_ONCE) {
        const some = await Promise.all(subjects.slice(i, i + AT_ONCE).map((subject) => last(name, subject)));
        found.push(...some.filter((message) => message !== null));
      }
      return found;
    },
    async pull(name, consumer, ms) {
      const request = { batch: 1, expires: ms * 1_000_000 };
      // Answered by a message of the stream, whose own subject it keeps: no common inbox can tell for whom it is.
      const message = await connection
        .request(`$JS.API.CONSUMER.MSG.NEXT.${name}.${consumer}`, JSON.stringify(request), {
          timeout: ms + REQUEST_MS,
          noMux: true,
        })
        .catch(() => null);
      const deliveries = deliveriesOf(message?.reply);
      if (message === null || deliveries === undefined) return null;
      return {
        data: message.data,
        deliveries,
        working: () => void message.respond('+WPI'),
        done: () => void message.respond('+ACK'),
        giveBack: (wait) => void message.respond(`-NAK ${JSON.stringify({ delay: wait * 1_000_000 })}`),
      };
    },
    say: (subject, data) => connection.publish(subject, data),
    hear(subject, heard) {
      const subscription = connection.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) heard(message.data, (data) => void message.respond(data));
        },
      });
      return () => subscription.unsubscribe();
    },
    async ask(subject, data, ms) {
      const deadline = performance.now() + Math.min(ms, HEARS_MS);
      for (;;) {
        try {
          return (await connection.request(subject, data, { timeout: ms })).data;
        } catch (error) {
          if (!isNobody(error) || performance.now() >= deadline) throw error;
          await sleep(AGAIN_MS);
        }
      }
    },
    async close() {
      // Waits for what is on its way; a server that is away takes nothing more.
      await (awaySince === null ? connection.drain().catch(() => connection.close()) : connection.close());
    },
  };
}

/** $JS.ACK.STREAM.CONSUMER.DELIVERIES.…, since 2.9 with two words more before the stream where there are domains. */
function deliveriesOf(reply: string | undefined): number | undefined {
  const words = reply?.split('.') ?? [];
  if (words[0] !== '$JS' || words[1] !== 'ACK') return undefined;
  return Number(words[words.length >= 11 ? 6 : 4]);
}

function codeOf(error: unknown): number | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? Number(error.code) : undefined;
}

function storedOf(
  message: { readonly subject: string; readonly seq: number; readonly data: Uint8Array; readonly time: Date } | null,
): Stored | null {
  if (message === null) return null;
  const { subject, seq, data, time } = message;
  return { subject, seq, data, time };
}
