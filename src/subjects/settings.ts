/**
 * Settings that several kinds of proxy have, and how clients speak to a subject. A kind has the rest in its own folder. Pure.
 */
import { DEBIAN_SUITES } from '../domain/guest.js';
import { type Complete, type Setting, type Settings, setting } from '../domain/setting.js';
import { quote } from '../domain/units.js';
import { flag, oneOf, orNull, text, texts, whole } from '../domain/values.js';

/** What a reverse proxy passes on: connections (nginx calls it stream), or HTTP requests. */
const MODES = ['tcp', 'http'] as const;
export type Mode = (typeof MODES)[number];

/** What finds the program. @param usual its name, as `danted` */
export function binarySetting(usual: string): Setting<string> {
  return setting(text(1, 4096), {
    default: usual,
    describe:
      'the program of the proxy: its path, or its name, which is looked for on the PATH and in the sbin folders',
    example: `/usr/sbin/${usual}`,
  });
}

/** Of a proxy that has a configuration. */
export const CONFIG: Setting<string[]> = setting(
  texts({ most: 200, characters: 1000, item: '"forwarded_for delete"' }),
  {
    default: [],
    describe:
      "lines added to the proxy's configuration, as they are: at its end; haproxy: to defaults; nginx: to http or stream",
    example: '["forwarded_for delete"]',
  },
);

const suiteName = text(1, 4096);
/** Of a proxy whose program can be that of other Debian packages than the installed ones. */
export const SUITE: Setting<string | null> = setting(
  orNull(
    {
      ...suiteName,
      written: suiteName.written.refine((name) => name.includes('/') || DEBIAN_SUITES.some((suite) => suite === name), {
        message: `use a Debian suite (${DEBIAN_SUITES.join(', ')}), or the path of a folder of packages, with a slash, such as ./debs`,
      }),
    },
    'none',
  ),
  {
    default: null,
    defaultText: 'the program of this machine',
    describe: `the Debian suite (${DEBIAN_SUITES.join(', ')}) whose package is fetched, unpacked and used, without being installed; or the path of a folder of packages (.deb), or of one in which they were unpacked, with a slash in it, relative to the profile`,
    example: 'bullseye',
  },
);

/** A check of a proxy that has {@link SUITE}. */
export function suiteOrBinary(settings: object, kind: string, named: ReadonlySet<string>, say: SayProblem): void {
  const { suite = null, binary } = settings as { suite?: string | null; binary?: string };
  if (suite !== null && named.has('suite') && named.has('binary'))
    say(
      `suite ${suite} fetches a ${kind} and binary ${quote(binary ?? '')} names one that is here; remove one of them`,
      ['subject', 'suite'],
    );
}

/** Addresses that its clients come from. */
export const CLIENTS: Setting<number | null> = setting(orNull(whole(1, 4096), 'as many as needed'), {
  default: null,
  defaultText: 'as many as keep the clients from running out of ports',
  describe: 'addresses that the clients come from, for each outgoing address of the proxy',
  example: '3',
});

/** Of a proxy whose configuration, or table of connections, is sized by its descriptors. */
export const DESCRIPTORS: Setting<number | null> = setting(orNull(whole(64, 1_048_576), 'what the machine allows'), {
  default: null,
  defaultText: 'what a process may have, at most 65536',
  describe: 'descriptors that the proxy may have',
  example: '16000',
});

/** Of a proxy that can keep its connections to origins for further requests. */
export const PERSISTENT: Setting<boolean> = setting(flag, {
  // One connection to the origin for each request is what runs out of ports.
  default: false,
  describe: 'whether the proxy keeps connections to origins open for further requests',
  example: 'false',
});

/** Of a reverse proxy that can do both. */
export function modeSetting(usual: Mode): Setting<Mode> {
  return setting(oneOf(MODES), {
    default: usual,
    describe: 'whether connections are passed on (nginx: stream), or HTTP requests',
    example: 'tcp',
  });
}

/** Says what is wrong in a profile, in a sentence without a full stop, and where it may stand, the likeliest place first. */
export type SayProblem = (message: string, ...at: [string[], ...string[][]]) => void;

/** A check of a reverse proxy: only requests can share a connection. */
export function persistentWithoutRequests(
  { persistent, mode }: { readonly persistent: boolean; readonly mode: Mode },
  _: unknown,
  say: SayProblem,
): void {
  if (persistent && mode !== 'http')
    say(
      `persistent needs mode http: in mode ${mode} a connection serves one client; add "mode: http", or remove persistent`,
      ['subject', 'persistent'],
      ['subject', 'mode'],
    );
}

/** A check of a proxy that cannot be told which of several addresses to use. @param why in a sentence without a full stop */
export function oneAddress(addresses: readonly string[], why: string, say: SayProblem): void {
  if (addresses.length > 1)
    say(
      `${why}, so only one of ${addresses.length} addresses would be used; use one, for example addresses: { list: [10.50.0.1] }`,
      ['addresses'],
    );
}

/** The settings of a kind, complete and with its name. */
export type SettingsOf<K extends string, T extends Settings> = { kind: K } & Complete<T>;
