/**
 * Subjects: what is under test. `direct` is the harness's own sockets; every other kind is a real proxy in a role of its own.
 * Here is what a profile says of a proxy and what it comes to; what a kind does with it is `src/subjects/`. Pure.
 */
import { z } from 'zod';
import { DEBIAN_SUITES } from '../domain/guest.js';

/** The kinds that are programs which the lab starts. */
export const PROXY_KINDS = ['squid', 'haproxy', 'nginx', 'dante', 'tor'] as const;
export type ProxyKind = (typeof PROXY_KINDS)[number];

/** `external` is a proxy that runs already, at an address of the allow list: nobody starts, stops or looks into it. */
export const SUBJECT_KINDS = ['direct', ...PROXY_KINDS, 'external'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

/**
 * How a proxy comes to its outgoing address. `client-address`: by the address that the client comes from, of which the load has
 * some for each outgoing address, so that they take exact turns (or whatever `addresses.pick` says). `random`: the proxy draws.
 */
export const OUTGOING_BY = ['client-address', 'random'] as const;

/** What a reverse proxy passes on: connections (nginx calls it stream), or HTTP requests. */
export const MODES = ['tcp', 'http'] as const;

/** What every proxy that the lab starts has. */
const started = {
  /** The program: a path with a slash, or a name that is looked for on the PATH and in the folders of system programs. */
  binary: z.string(),
  /** Lines added to the configuration, as they are. */
  config: z.array(z.string()),
  /** Addresses that clients come from, for each outgoing address; null: as many as keep the clients from running out of ports. */
  clients: z.number().nullable(),
};
/** Descriptors that the proxy may have; null: what this machine allows a process, up to a bound. */
const descriptors = z.number().nullable();

export const squidSettingsSchema = z.object({
  kind: z.literal('squid'),
  ...started,
  descriptors,
  /** Keep connections to origins open and use them again (`server_persistent_connections`). */
  persistent: z.boolean(),
  outgoing: z.enum(OUTGOING_BY),
});
export type SquidSettings = z.infer<typeof squidSettingsSchema>;

/** A reverse proxy has one listener a destination, and takes its outgoing address by the client's. */
export const haproxySettingsSchema = z.object({
  kind: z.literal('haproxy'),
  ...started,
  descriptors,
  mode: z.enum(MODES),
  /** In mode http: keep connections to origins open and use them again (`http-reuse always`). */
  persistent: z.boolean(),
  /** The range of `source ADDRESS:LOW-HIGH`, from which each server line takes ports by itself; null: the kernel chooses. */
  ports: z.object({ low: z.number(), high: z.number() }).nullable(),
});
export type HaproxySettings = z.infer<typeof haproxySettingsSchema>;

export const nginxSettingsSchema = z.object({
  kind: z.literal('nginx'),
  ...started,
  descriptors,
  mode: z.enum(MODES),
  /** In mode http: keep connections to origins open and use them again (`keepalive` of an upstream). */
  persistent: z.boolean(),
});
export type NginxSettings = z.infer<typeof nginxSettingsSchema>;

export const danteSettingsSchema = z.object({ kind: z.literal('dante'), ...started });
export type DanteSettings = z.infer<typeof danteSettingsSchema>;

/** A private network of Tors; its exits, one for each outgoing address, are under test. */
export const torSettingsSchema = z.object({
  kind: z.literal('tor'),
  ...started,
  /** The Debian suite whose package is fetched, unpacked and used instead of a program that is here; null: `binary` is used. */
  suite: z.enum(DEBIAN_SUITES).nullable(),
  /** Milliseconds that the network may take until a byte came through every exit. */
  deadline: z.number(),
});
export type TorSettings = z.infer<typeof torSettingsSchema>;

export const proxySettingsSchema = z.discriminatedUnion('kind', [
  squidSettingsSchema,
  haproxySettingsSchema,
  nginxSettingsSchema,
  danteSettingsSchema,
  torSettingsSchema,
]);
export type ProxySettings = z.infer<typeof proxySettingsSchema>;

/** What finds a proxy's program. */
export const programNameSchema = z.object({ kind: z.enum(PROXY_KINDS), binary: z.string() });
export type ProgramName = z.infer<typeof programNameSchema>;

/** How the load speaks to its target. */
export const PROTOCOLS = ['tcp', 'connect', 'get', 'socks5'] as const;
export type Protocol = (typeof PROTOCOLS)[number];
