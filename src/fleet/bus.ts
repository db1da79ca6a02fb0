/**
 * A connection to the server of a fleet, in the few words that the fleet needs of it. The only file that knows the client library.
 *
 * Nothing here is read through a consumer but the work queue: streams are read message by message, by subject and number, so that there is
 * nothing to make again after a server was restarted, and nothing that is delivered twice.
 */
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node';
import { EXIT, messageOf, UserError } from '../domain/error.js';
import { type Access, KEY_VARIABLE } from './access.js';

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

export interface Bus {
  /** Bytes that a message may have. */
  readonly maxPayload: number;
  /** Milliseconds since there is no server; 0: there is one. */
  awayMs(): number;
  /** Append to a stream; again under the same id it is known, and not stored twice. */
  put(subject: string, data: Uint8Array, id?: string): Promise<void>;
  /**
   * Append where the last message of the subject has this number; 0: where there is none.
   * @returns the number of the message; null: somebody else was faster
   */
  claim(subject: string, data: Uint8Array, last: number): Promise<number | null>;
  /** The newest message of a subject. */
  last(stream: string, subject: string): Promise<Stored | null>;
  /** The first message from a number on whose subject matches. */
  next(stream: string, filter: string, from: number): Promise<Stored | null>;
  /** The newest of each subject that matches. */
  all(stream: string, filter: string): Promise<Stored[]>;
  /** A unit of a queue; null: there was none in `ms`, or the queue is gone. */
  pull(stream: string, consumer: string, ms: number): Promise<Pulled | null>;
  /** To whoever listens. */
  say(subject: string, data: Uint8Array): void;
  /** @returns ends it */
  hear(subject: string, heard: (data: Uint8Array, answer: (data: Uint8Array) => void) => void): () => void;
  /** Rejects when nobody is there, or the answer takes longer. */
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

/** Of one request; a server that is away longer than a moment is said to be away. */
const REQUEST_MS = 10_000;
/** A server that is refused answers at once; one that says nothing may be busy, as its machine is. */
const CONNECT_MS = 20_000;
/** A link over which nothing comes is taken for broken after two of these. */
const PING_MS = 2_000;
/** nats-server: "wrong last sequence". */
const WRONG_LAST_SEQUENCE = 10_071;

/** @param name as the server's monitoring shows it. Rejects with FleetError */
export async function openBus({ url, seed, ca, role }: Access, name: string): Promise<Bus> {
  const connection = await connect({
    servers: url,
    name: `bindstorm ${role} ${name}`,
    inboxPrefix: inboxOf(role),
    timeout: CONNECT_MS,
    pingInterval: PING_MS,
    maxPingOut: 2,
    reconnectTimeWait: 250,
    maxReconnectAttempts: -1,
    ignoreClusterUpdates: true,
    ...(seed ? { authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)) } : {}),
    ...(ca ? { tls: { ca } } : url.startsWith('tls:') ? { tls: {} } : {}),
  }).catch((error: unknown) => {
    throw refusal(url, error);
  });
  try {
    return await busOver(connection);
  } catch (error) {
    await connection.close();
    throw error instanceof UserError
      ? error
      : new FleetError(`${url} has no JetStream (${messageOf(error)})`, JETSTREAM);
  }
}

/** Where the answers to a role's requests come, so that the server keeps those of the other from it. */
export function inboxOf(role: Access['role']): string {
  return `_INBOX_${role}`;
}

const JETSTREAM = 'start nats-server with -js, or let `bindstorm fleet up` start it';

function refusal(url: string, error: unknown): FleetError {
  const why = messageOf(error);
  return /authoriz|authentic|nkey/i.test(why)
    ? new FleetError(
        `the server at ${url} does not let this in (${why})`,
        `give the file that \`bindstorm fleet up\` has written instead of the URL, or its seed in ${KEY_VARIABLE}`,
      )
    : new FleetError(
        `no server of a fleet answers at ${url} (${why})`,
        'start one with `bindstorm fleet up`, or name the address of the one that runs',
      );
}

async function busOver(connection: NatsConnection): Promise<Bus> {
  const manage = await jetstreamManager(connection, { timeout: REQUEST_MS });
  const stream = jetstream(connection, { timeout: REQUEST_MS });
  let awaySince: number | null = null;
  const follow = async () => {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect' || type === 'staleConnection') awaySince ??= performance.now();
      if (type === 'reconnect') awaySince = null;
    }
  };
  void follow();
  const next: Bus['next'] = async (name, filter, from) =>
    storedOf(await manage.direct.getMessage(name, { seq: from, next_by_subj: filter }));
  return {
    manage,
    maxPayload: connection.info?.max_payload ?? 1024 * 1024,
    awayMs: () => (awaySince === null ? 0 : performance.now() - awaySince),
    async put(subject, data, id) {
      await stream.publish(subject, data, id === undefined ? {} : { msgID: id });
    },
    async claim(subject, data, last) {
      try {
        return (await stream.publish(subject, data, { expect: { lastSubjectSequence: last } })).seq;
      } catch (error) {
        if (codeOf(error) === WRONG_LAST_SEQUENCE) return null;
        throw error;
      }
    },
    last: async (name, subject) => storedOf(await manage.direct.getMessage(name, { last_by_subj: subject })),
    next,
    async all(name, filter) {
      const found = new Map<string, Stored>();
      for (let from = 1; ; ) {
        const message = await next(name, filter, from);
        if (message === null) return [...found.values()];
        found.set(message.subject, message);
        from = message.seq + 1;
      }
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
    ask: async (subject, data, ms) => (await connection.request(subject, data, { timeout: ms })).data,
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
