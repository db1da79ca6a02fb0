/**
 * The schema of a profile: what a YAML file may say. One source for the validation, for the TypeScript types and for the
 * JSON Schema that editors read (`schema/profile.schema.json`). What needs several keys at once is checked in `resolve.ts`.
 */
import { z } from 'zod';
import { DEBIAN_SUITES, ENGINES, MAX_KERNELS } from '../domain/guest.js';
import { LAB_KINDS } from '../domain/lab.js';
import { STRATEGY_NAMES } from '../domain/strategy.js';
import { parseDuration, parsePercent, parsePortRange, parseRate, quote, RATE, UnitError } from '../domain/units.js';
import { closest } from '../domain/words.js';
import { AFTER, BETWEEN } from '../plan/box.js';
import { LOAD_ENGINES } from '../plan/load-engine.js';
import { MAX_NEIGHBOURS, neighbourShape } from '../plan/neighbour.js';
import { SUBJECT_KINDS, SUBJECT_SETTINGS } from '../subjects/index.js';
import { PROTOCOLS } from '../subjects/settings.js';

/** A strict object whose error for an unknown key lists the keys that it has. */
function object<T extends z.core.$ZodLooseShape>(shape: T) {
  const allowed = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined;
      const near = issue.keys
        .map((key: string) => closest(key, allowed))
        .find((key: string | undefined) => key !== undefined);
      return `unknown key ${issue.keys.map(quote).join(', ')}; allowed here: ${allowed.join(', ')}${near ? ` (did you mean ${near}?)` : ''}`;
    },
  });
}

/** A text that a function of units.ts can parse; its UnitError becomes the issue's message. */
function parsed<T>(parse: (text: string) => T, description: string, pattern: RegExp) {
  return z
    .string()
    .regex(pattern, { error: (issue) => messageOf(parse, String(issue.input)), abort: true })
    .transform((text, context): T => {
      try {
        return parse(text);
      } catch (error) {
        if (!(error instanceof UnitError)) throw error;
        context.addIssue({ code: 'custom', message: error.message, input: text });
        return z.NEVER;
      }
    })
    .describe(description);
}

function messageOf(parse: (text: string) => unknown, text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof UnitError) return error.message;
  }
  return `found ${quote(text)}, which is not of the form that is expected here`;
}

const rate = parsed(parseRate, 'attempts per second, as 2000/s', RATE);
const duration = parsed(
  parseDuration,
  'a number and a unit (us, ms, s, m, h), as 250ms',
  /^\s*\d+(\.\d+)?(us|µs|ms|s|m|min|h)\s*$/,
);
const positive = (max: number) => z.int().min(1).max(max);
const name = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,62}$/, {
  error: (issue) =>
    `found ${quote(issue.input)}; a name is 1 to 63 lower-case letters, digits, dots and dashes, and starts with a letter or digit`,
});

const addressSet = {
  cidr: z.string().optional().describe('local addresses, as 10.50.0.0/24'),
  range: z.string().optional().describe('the same as a range, as 10.50.0.1-10.50.0.50'),
  list: z.array(z.string()).min(1).optional().describe('the same as a list, as [10.50.0.1, 10.50.0.7]'),
  count: positive(65_536).optional().describe('how many addresses of the CIDR or range to use; all when absent'),
  pick: z.enum(['round-robin', 'random', 'by-worker']).optional().describe('which local address an attempt uses'),
};

const destinations = {
  addresses: positive(4096).optional().describe('addresses that the origin listens on'),
  ports: positive(4096).optional().describe('ports that the origin listens on, on each address'),
  targets: z
    .array(z.string())
    .min(1)
    .max(4096)
    .optional()
    .describe('targets outside the lab, as 192.0.2.10:3128; each must be on the allow list, and the lab must be host'),
};

const shapes = z.discriminatedUnion(
  'shape',
  [
    object({ shape: z.literal('constant'), rate, duration }),
    object({ shape: z.literal('poisson'), rate, duration }),
    object({ shape: z.literal('ramp'), from: rate, to: rate, duration }),
    object({ shape: z.literal('steps'), rates: z.array(rate).min(1).max(100), each: duration }),
    object({
      shape: z.literal('fill'),
      attempts: positive(20_000_000).optional().describe('stop after this many attempts'),
      failures: positive(1_000_000).optional().describe('stop after this many failed attempts'),
      within: duration.optional().describe('stop after this long, however far it came'),
      inFlight: positive(4096).optional().describe('handshakes under way at once, per worker'),
      waves: positive(100).optional().describe('how often to repeat the fill, to see what recovers'),
      pause: duration.optional().describe('the time between two waves'),
    }),
    object({
      shape: z.literal('hold'),
      connections: positive(1_000_000).describe('connections kept open at once'),
      duration,
    }),
  ],
  {
    error: (issue) =>
      issue.code === 'invalid_union' ? 'shape must be one of constant, poisson, ramp, steps, fill, hold' : undefined,
  },
);

const percent = parsed(parsePercent, 'a share in percent, as 2%', /^\s*\d+(\.\d+)?\s*%\s*$/);
const find = object({
  find: z.literal('max-rate').describe('the highest rate that holds for ever, of the baseline and of each variant'),
  from: rate.optional().describe('where the search begins'),
  to: rate.optional().describe('where it ends'),
  tolerance: percent.optional().describe('how far apart the ends of the answer may be'),
  confirm: positive(100).optional().describe('how often the rate that is answered must have held'),
  step: duration.optional().describe('the least duration of a step'),
  p99: duration.optional().describe('the highest p99 of the total latency; a rate that is slower does not hold'),
});
const arrival = z.union([shapes, find]);

const load = {
  workers: positive(64).optional().describe('worker threads, each with as many descriptors as ulimit -n allows'),
  strategy: z.enum(STRATEGY_NAMES).optional().describe('how an outbound socket gets its local address and port'),
  arrival: arrival.optional(),
  close: z
    .enum(['client', 'server', 'reset'])
    .optional()
    .describe('who closes first; reset: the client, with a RST. Behind a proxy the server is the origin'),
  drain: z
    .boolean()
    .optional()
    .describe('with close: client, wait for the FIN of the other side before an attempt counts as over'),
  hold: duration
    .optional()
    .describe(
      'how long an established connection is kept open; with protocol get, how long the origin waits to answer',
    ),
  timeout: duration.optional().describe('how long an attempt may take to connect, and then to exchange'),
  exchange: object({ request: positive(65_536), response: positive(1_048_576) })
    .optional()
    .describe('bytes to send and to receive on each connection'),
  engine: z
    .enum(LOAD_ENGINES)
    .optional()
    .describe(
      'what makes the connections: socket: sockets and epoll, for high rates; http: an HTTP client (undici) over the same sockets, for keepAlive and tls',
    ),
  keepAlive: z
    .boolean()
    .optional()
    .describe('HTTP engine: whether the client keeps its connections open for further requests'),
  tls: z
    .boolean()
    .optional()
    .describe('HTTP engine: TLS to the origin, inside of a tunnel or direct, with a certificate made at start'),
  protocol: z
    .enum(PROTOCOLS)
    .optional()
    .describe(
      'what the client says: connect: a CONNECT tunnel, the exchange inside of it; get: a GET, in absolute form to a forward proxy; socks5: a SOCKS5 CONNECT, the exchange behind it; tcp: nothing but the exchange. With the HTTP engine the exchange of a tunnel is a GET',
    ),
  body: z
    .int()
    .min(0)
    .max(1_048_576)
    .optional()
    .describe('with protocol get or the HTTP engine: bytes of the body that the origin answers'),
  sink: z
    .enum(['accept', 'listen-only'])
    .optional()
    .describe('whether the origin accepts, or leaves connections in the accept queue of the kernel'),
  maxInFlight: positive(1_000_000).optional().describe('sockets open at once per worker; attempts beyond it are shed'),
  ports: parsed(
    parsePortRange,
    'the port list of bind-explicit-port and of local-port-range, as 20000-29999',
    /^\s*\d+(\s*-\s*|\s+)\d+\s*$/,
  ).optional(),
  clocks: positive(500)
    .optional()
    .describe(
      'clients behind each source address, taking turns, as a server sees them: each with a TCP timestamp clock of its own, an hour behind the one before',
    ),
  lagBudget: duration.optional().describe('the p99 of the start lag above which a run is generator-limited'),
};

const sysctls = z.record(z.string(), z.union([z.string(), z.int()])).describe('name: value, as sysctl(8) writes them');

const subject = Object.fromEntries(
  Object.entries(SUBJECT_SETTINGS).map(([key, row]) => [key, row.written.optional().describe(row.describe)]),
);

const role = object({ sysctls: sysctls.optional() });
const roles = object({ client: role.optional(), proxy: role.optional(), origin: role.optional() }).describe(
  'sysctls of one role; those at the top are of the role under test',
);

const variant = object({
  name,
  description: z.string().max(500).optional(),
  subject: object(subject).optional(),
  sysctls: sysctls.optional(),
  roles: roles.optional(),
  load: object(load).optional(),
  addresses: object(addressSet).optional(),
  destinations: object(destinations).optional(),
  skipMissing: z
    .boolean()
    .optional()
    .describe('with kernels: run without the sysctls that a kernel lacks, and say which, instead of not at all'),
});

export const profileSchema = object({
  $schema: z.string().optional(),
  name: name.describe('names the result folder'),
  description: z.string().max(2000).optional().describe('shown by profiles, plan and the report'),
  lab: object({
    kind: z
      .enum(LAB_KINDS)
      .describe(
        'netns: a fresh network namespace for each run; vm: a fresh guest with a kernel of its own; vagrant: a fresh network namespace in a Vagrant box; host: this machine itself',
      ),
    engine: z
      .enum(ENGINES)
      .optional()
      .describe('vm only: what runs the guest: uml, a kernel as one ordinary process (User-Mode Linux), or qemu'),
    kernel: z
      .string()
      .optional()
      .describe(
        `vm only: a Debian suite (${DEBIAN_SUITES.join(', ')}), whose kernel is fetched once; running, for that of this machine; or the path of a kernel, as ./bzImage`,
      ),
    box: z.string().optional().describe('vagrant only: a machine of vagrant/Vagrantfile'),
    after: z
      .enum(AFTER)
      .optional()
      .describe(
        'vagrant only: what becomes of the box at the end; revert: back to what it was before the first run, and left running',
      ),
    between: z
      .enum(BETWEEN)
      .optional()
      .describe(
        'vagrant only: before each further run, restore the sysctls that are the whole machine’s, or revert the box to its snapshot',
      ),
  }).optional(),
  kernels: z
    .array(
      z.union([
        z.string().describe('as lab.kernel'),
        object({
          kernel: z.string().describe('as lab.kernel'),
          engine: z.enum(ENGINES).optional().describe('as lab.engine'),
        }),
      ]),
    )
    .min(1)
    .max(MAX_KERNELS)
    .optional()
    .describe('vm only, instead of lab.kernel: baseline and variants run on each of these kernels, side by side'),
  allowHostChanges: z
    .boolean()
    .optional()
    .describe('must be true for the host lab, which changes and restores sysctls of this machine'),
  allow: z
    .array(z.string())
    .max(4096)
    .optional()
    .describe('targets outside the lab that this profile may load, as 192.0.2.10:3128'),
  subject: object({
    kind: z
      .enum(SUBJECT_KINDS)
      .describe(
        "what is under test: the harness's own sockets (direct), a proxy that the lab starts between client and origin, or one that runs elsewhere (external)",
      ),
    ...subject,
  }).optional(),
  addresses: z.union([z.string().describe('a CIDR'), object(addressSet)]),
  destinations: object(destinations).optional(),
  load: object({ ...load, arrival }),
  sysctls: sysctls
    .optional()
    .describe(
      "the baseline's sysctls, as name: value; of the role under test: the proxy where there is one, else the client",
    ),
  roles: roles.optional(),
  neighbours: z
    .array(object({ name, ...neighbourShape(rate, duration) }))
    .max(MAX_NEIGHBOURS)
    .optional()
    .describe('small loads beside the main one, the same in every arm: a fix must not starve them'),
  variants: z.array(variant).min(1).max(64),
  repeat: positive(1000).optional().describe('pairs of runs per variant'),
  warmup: z.int().min(0).max(10).optional().describe('blocks run first and discarded'),
  seed: z.int().min(0).max(4_294_967_295).optional().describe('of the order of runs, the arrivals and the picks'),
  goal: z.string().optional().describe('the metric that a fix must improve, as outcomes["bind:EADDRINUSE"].share'),
  guardrails: z
    .array(z.string())
    .max(20)
    .optional()
    .describe('metrics that a fix must not worsen, as latency.total.p99'),
  thresholds: z
    .array(
      object({
        metric: z.string().describe('see below'),
        max: z.union([z.number(), z.string()]).optional().describe('at most'),
        min: z.union([z.number(), z.string()]).optional().describe('at least'),
        variant: z.string().optional().describe('one variant; all when absent'),
      }),
    )
    .max(100)
    .optional()
    .describe('limits that decide the exit code'),
}).describe('A bindstorm profile: a baseline, its variants, and what to measure');

export type ProfileInput = z.infer<typeof profileSchema>;
export type ArrivalInput = z.infer<typeof shapes>;
export type FindInput = z.infer<typeof find>;
