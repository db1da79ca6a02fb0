/**
 * The lab's internet as a profile may describe it: which names there are, and how requests are answered. The answers are those to which
 * clients react with more or fewer ports. Pure.
 */
import { z } from 'zod';
import { isAddress } from '../domain/addresses.js';
import {
  type Complete,
  changesOf,
  complete,
  keptShape,
  type Named,
  named,
  setting,
  type ValueKind,
  writtenShape,
} from '../domain/setting.js';
import { quote } from '../domain/units.js';
import { bytes, duration, flag, map, oneOf, orNull, whole } from '../domain/values.js';

const ORIGIN_ANSWER = {
  status: setting(whole(200, 599), {
    default: 200,
    describe: 'status of the answer, for example 404 or 500',
    example: '500',
  }),
  // What the measurements of clients were made with.
  body: setting(bytes(0, 100_000_000), {
    default: 6,
    describe:
      'bytes of the body; what a client does not read of a large one decides whether it uses the connection again',
    example: '200000',
  }),
  chunked: setting(flag, {
    default: false,
    describe: 'body without a length before it: Transfer-Encoding: chunked',
    example: 'true',
  }),
  redirect: setting(flag, {
    default: false,
    describe: 'every request is first sent on to another path of the same host (302)',
    example: 'true',
  }),
  delay: setting(duration, { default: 0, keptAs: 'delayMs', describe: 'how long an answer takes', example: '10ms' }),
  // A server that is not told otherwise says nothing, and keeps connections open.
  keepAliveHint: setting(orNull(whole(1, 3600), 'none'), {
    default: null,
    describe: 'seconds of a header "Keep-Alive: timeout=N": how long the server says that it keeps an idle connection',
    example: '1',
  }),
  close: setting(flag, {
    default: false,
    describe: 'Connection: close, and the server closes after each answer',
    example: 'true',
  }),
  http10: setting(flag, {
    default: false,
    describe: 'answers are of HTTP/1.0, and the server closes after each',
    example: 'true',
  }),
} as const;

const answer = z.object(keptShape(ORIGIN_ANSWER));
/** Times in milliseconds, the hint in seconds, the body in bytes. */
export type OriginAnswer = Complete<typeof ORIGIN_ANSWER>;
type NamedAnswer = Named<typeof ORIGIN_ANSWER>;

/** What a profile names of an answer; a variant adds to it. */
const namedAnswer: ValueKind<NamedAnswer> = {
  written: map(writtenShape(ORIGIN_ANSWER)).transform((values) => named(ORIGIN_ANSWER, values)),
  kept: answer.partial(),
  text: sayAnswer,
  words: sayAnswer,
};

function sayAnswer(values: NamedAnswer): string {
  const said = changesOf(ORIGIN_ANSWER, completeAnswer({}), completeAnswer(values));
  return said.map((change) => change.replace(/ .* → /, ' ')).join(', ') || 'as usual';
}

function completeAnswer(values: NamedAnswer): OriginAnswer {
  return complete(ORIGIN_ANSWER, values);
}

const MOST_NAMES = 1000;

/** RFC 1035 §2.3.4; and underscores, which services have. */
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/i;

const addresses = z
  .array(
    z.string().refine(isAddress, {
      error: (issue) => `${quote(String(issue.input))} is not an IPv4 or IPv6 address; write it like 203.0.113.7`,
    }),
  )
  .min(1);

const names: ValueKind<Record<string, string[]> | null> = {
  written: z.record(z.string(), addresses).superRefine((table, context) => {
    const all = Object.keys(table);
    if (all.length > MOST_NAMES) context.addIssue(`at most ${MOST_NAMES} names are allowed, not ${all.length}`);
    for (const name of all.filter((each) => !DNS_NAME.test(each)))
      context.addIssue(`${quote(name)} is not a name of DNS; write it like api.example.com`);
  }),
  kept: z.record(z.string(), z.array(z.string())).nullable(),
  text: sayNames,
  words: sayNames,
};

function sayNames(table: Record<string, string[]> | null): string {
  if (table === null) return 'every name';
  return Object.entries(table)
    .map(([name, addresses]) => `${name} ${addresses.join(' ')}`)
    .join(', ');
}

/** Rows for a subject that talks to whomever it likes. */
export const INTERNET = {
  origin: setting(namedAnswer, {
    default: {},
    defaultText: 'status 200, a body of 6 bytes, and the connection stays open',
    describe: "how the lab's internet answers the requests of the program",
    example: '{ status: 500 }',
  }),
  names: setting(names, {
    default: null,
    defaultText: 'every name has an address of its own',
    describe: 'the names that resolve, each with its addresses; others do not exist',
    example: '{ api.example.com: [203.0.113.7] }',
  }),
  // Each family has ports of its own: with both, a program that runs out of one goes on with the other, and nothing fails at P.
  families: setting(oneOf(['own', 'both']), {
    default: 'own',
    describe:
      "addresses of names that the profile does not list: of the family of the profile's addresses (own), or IPv4 and IPv6 (both)",
    example: 'both',
  }),
} as const;

/** What the lab's internet is to a program. */
export const internetSchema = z.object({ origin: answer, names: names.kept, families: INTERNET.families.kept });
export type Internet = z.infer<typeof internetSchema>;

/** Of a subject that has the rows above. */
export function internetOf({ origin, names: table, families }: Complete<typeof INTERNET>): Internet {
  return { origin: completeAnswer(origin), names: table, families };
}
