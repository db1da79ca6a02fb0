/**
 * Subjects: what is under test. `direct` is the harness's own sockets; every other kind is a real proxy in a role of its own.
 * Here is what a profile says of a proxy and what it comes to; what a kind does with it is `src/subject/`. Pure.
 */
import { z } from 'zod';

/** The kinds that are programs which the lab starts. */
export const PROXY_KINDS = ['squid'] as const;
export type ProxyKind = (typeof PROXY_KINDS)[number];

export const SUBJECT_KINDS = ['direct', ...PROXY_KINDS] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

/**
 * How a proxy comes to its outgoing address. `client-address`: by the address that the client comes from, of which the load has
 * some for each outgoing address, so that they take exact turns (or whatever `addresses.pick` says). `random`: the proxy draws.
 */
export const OUTGOING_BY = ['client-address', 'random'] as const;

/** What every proxy that the lab starts has. */
const started = {
  /** The program: a path with a slash, or a name that is looked for on the PATH and in the folders of system programs. */
  binary: z.string(),
  /** Lines added at the end of the configuration, as they are. */
  config: z.array(z.string()),
  /** Descriptors that the proxy may have; null: what this machine allows a process, up to a bound. */
  descriptors: z.number().nullable(),
};

export const squidSettingsSchema = z.object({
  kind: z.literal('squid'),
  ...started,
  /** Keep connections to origins open and use them again (`server_persistent_connections`). */
  persistent: z.boolean(),
  outgoing: z.enum(OUTGOING_BY),
});
export type SquidSettings = z.infer<typeof squidSettingsSchema>;

export const proxySettingsSchema = z.discriminatedUnion('kind', [squidSettingsSchema]);
export type ProxySettings = z.infer<typeof proxySettingsSchema>;

/** What finds a proxy's program. */
export const programNameSchema = z.object({ kind: z.enum(PROXY_KINDS), binary: z.string() });
export type ProgramName = z.infer<typeof programNameSchema>;

/** How the load speaks to its target. */
export const PROTOCOLS = ['tcp', 'connect', 'get'] as const;
export type Protocol = (typeof PROTOCOLS)[number];
