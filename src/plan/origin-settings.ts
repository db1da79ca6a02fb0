/**
 * How the lab's internet answers a request, where a profile does not leave it to the default: the scenarios in which clients differ in
 * the ports that they take. Pure.
 */
import { z } from 'zod';
import { type Complete, keptShape, setting } from '../domain/setting.js';
import { bytes, duration, flag, orNull, whole } from '../domain/values.js';

export const ORIGIN_SETTINGS = {
  status: setting(whole(200, 599), {
    default: 200,
    describe: 'status of the answer, as 404 or 500',
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
  delay: setting(duration, {
    default: 0,
    keptAs: 'delayMs',
    describe: 'how long an answer takes',
    example: '10ms',
  }),
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

const originAnswerSchema = z.object(keptShape(ORIGIN_SETTINGS));
/** Times in milliseconds, the hint in seconds, the body in bytes. */
export type OriginAnswer = Complete<typeof ORIGIN_SETTINGS>;

/** What the lab's internet is to a program. */
export const internetSchema = z.object({
  origin: originAnswerSchema,
  /** Name → addresses; null: every name resolves, to addresses of its own. */
  names: z.record(z.string(), z.array(z.string())).nullable(),
});
export type Internet = z.infer<typeof internetSchema>;
