/**
 * What a proxy under test suffered in a run, apart from what its clients saw: its logs, its end, its use of the machine.
 */
import { z } from 'zod';
import { STRATEGY_NAMES } from '../domain/strategy.js';
import { targetSchema } from '../domain/target.js';
import { PROXY_KINDS } from './index.js';
import type { Bootstrap } from './subject.js';

/** Characters of one file, and files; more is not carried. */
const LONGEST_FILE = 65_536;
const MOST_FILES = 64;

/** What a proxy was configured with: file name → text. The names become names in a result folder, and may come from a guest. */
export const configurationSchema = z
  .record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/), z.string().max(LONGEST_FILE + 100))
  .refine((files) => Object.keys(files).length <= MOST_FILES, `at most ${MOST_FILES} files`);

/** The files as they may be carried: what is too long is cut, and says so. */
export function boundedConfiguration(files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files)
      .slice(0, MOST_FILES)
      .map(([name, text]) => [
        name,
        text.length <= LONGEST_FILE
          ? text
          : `${text.slice(0, LONGEST_FILE)}\n# cut by bindstorm: ${text.length - LONGEST_FILE} more characters\n`,
      ]),
  );
}

export const loggedFailureSchema = z.object({
  call: z.string().nullable().describe('bind or connect; null where the log does not say'),
  errno: z.string().nullable().describe('as EADDRINUSE; null where the log does not say'),
  count: z.number(),
  lines: z.array(z.string()).describe('the first lines that say so'),
});

/** How the system calls of a proxy are counted. */
export const observationSchema = z.enum(['ebpf', 'strace']);
export type ObservationWay = z.infer<typeof observationSchema>;

const refusedSchema = z.array(
  z.object({
    pid: z.number().describe('of the thread'),
    call: z.enum(['bind', 'connect', 'sendto', 'sendmsg']),
    errno: z.string(),
    count: z.number(),
  }),
);

/** Calls for IPv4 and IPv6 of the proxy's processes, and those that the kernel refused. */
export const syscallsSchema = z.object({
  by: observationSchema,
  calls: z.object({ bind: z.number(), connect: z.number() }),
  failures: refusedSchema,
  connections: z
    .object({
      begun: z.number(),
      peak: z.number().describe('most open at once'),
      open: z.number().describe('that it had not closed in the end'),
      openAtFirstFailure: z.number().nullable(),
      begunBeforeFirstFailure: z.number().nullable(),
    })
    .optional()
    .describe('only by strace'),
  ways: z
    .array(z.object({ strategy: z.enum(STRATEGY_NAMES), to: z.string(), connections: z.number() }))
    .optional()
    .describe('only by strace: how the ports of its connections were chosen, by destination, the most frequent first'),
  datagrams: z
    .object({
      sockets: z.number(),
      peak: z.number().describe('most at once'),
      strategies: z.record(z.string(), z.number()).optional().describe('sockets by the way they took their port'),
    })
    .optional()
    .describe('only by strace: UDP sockets for which the kernel chose a port; absent: none'),
  upTo: z
    .object({ begun: z.number(), failures: refusedSchema })
    .optional()
    .describe('of the first connections and refusals, as many as the load may have'),
});
export type Syscalls = z.infer<typeof syscallsSchema>;

/** Counts calls from the lines of a trace. */
export interface SyscallCount {
  add(line: string): void;
  /** Whether the end of a process was in the trace. */
  hasEnded(pid: number): boolean;
  result(): Syscalls;
}

/** How long a network of the subject took until it could be used. */
export const bootstrapSchema: z.ZodType<Bootstrap> = z.object({
  seconds: z.number().describe('from the start to the first byte through the last exit'),
  cached: z.boolean().describe('with keys and consensus of an earlier one'),
});

export const proxyReportSchema = z.object({
  kind: z.enum(PROXY_KINDS),
  /** As the program itself says; null when it does not. */
  version: z.string().nullable(),
  /** Only of a private network. */
  bootstrap: bootstrapSchema.optional(),
  /** Failures of outgoing connections that its log tells of. One failed request may have several lines, or none. */
  failures: z.array(loggedFailureSchema),
  /** Result of a request in the words of the access log, as `TCP_TUNNEL/200` → how many. */
  requests: z.record(z.string(), z.number()),
  /** Answers that were failures, in full, as `503 ERR_CONNECT_FAIL 0`: status and X-Squid-Error → how many. */
  answers: z.record(z.string(), z.number()),
  /** Why it was not what was to be measured, as when it ran out of descriptors. */
  troubles: z.array(z.string()),
  /** How it ended, when it did so by itself; null: it was running when the run was over. */
  ended: z.string().nullable(),
  /** The last lines of its log. */
  tail: z.array(z.string()),
  printed: z.number().optional().describe('only of any program: bytes on both streams'),
  listening: z.array(targetSchema).optional().describe('only of any program: where it listened in the end'),
  /** Only of an observed run: the kernel's view. */
  syscalls: syscallsSchema.optional(),
  /** Only of an observed run, instead of the kernel's view: why there is none. */
  unobserved: z.string().optional(),
  /** Seconds of CPU over the load. */
  cpu: z.object({ user: z.number(), system: z.number() }),
  memory: z.object({ peak: z.number() }).describe('peak resident memory of its processes, bytes'),
  /** Most descriptors that it had open when looked at; null where this may not be read. */
  descriptors: z.number().nullable(),
  /** Sysctls of the roles beside it, as read back. */
  roles: z.object({ client: z.record(z.string(), z.string()), origin: z.record(z.string(), z.string()) }),
});
export type ProxyReport = z.infer<typeof proxyReportSchema>;
