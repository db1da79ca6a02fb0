/**
 * A proxy's whole configuration file, the user's own, as the base of a subject: taken as it is, but for the directives that the lab must
 * own (where it listens, its outgoing addresses, its origins, logs, pid file, user). What cannot be had in a lab is refused by its line.
 * Pure: reading is the caller's part.
 */
import { z } from 'zod';
import { formatTarget, plural } from '../../domain/format.js';
import { optional, type Setting, type ValueKind } from '../../domain/setting.js';
import type { Target } from '../../domain/target.js';
import type { Syntax } from './syntax.js';

/** A file with what it includes: where each directive stands, as `squid.conf:12`, and its text. */
export interface Base {
  readonly file: string;
  readonly lines: readonly (readonly [at: string, text: string])[];
}

/** Directives together; what was configured is carried with each run. */
const MOST_CHARACTERS = 60_000;
const MOST_INCLUDED = 200;

const file: ValueKind<Base> = {
  written: z
    .string()
    .min(1)
    .max(4096)
    .transform((name): Base => ({ file: name, lines: [] })),
  kept: z.object({ file: z.string(), lines: z.array(z.tuple([z.string(), z.string()])) }),
  text: (base) => base.file,
  words: (base) => base.file,
};

/** Of a proxy whose configuration can be the user's own. */
export const BASE: Setting<Base | undefined> = optional(file, {
  defaultText: 'a configuration of the lab’s own',
  describe:
    "the proxy's whole configuration file, taken as it is, but for what the lab must own: where it listens, its outgoing addresses, origins, logs, pid file and user; the report lists each change. Relative to the profile",
  example: 'squid.conf',
});

/** What the lab puts into a file. */
export interface LabOfBase {
  readonly directory: string;
  readonly listen: readonly [Target, ...Target[]];
  readonly destinations: readonly Target[];
  readonly outgoing: readonly string[];
  readonly descriptors: number;
  readonly root?: string;
}

/** What a directive says that the lab must replace: a place where it listens, an outgoing address, an origin. */
type PlaceKind = 'listen' | 'outgoing' | 'origin';

/** A value of a file that stands for such a place. Equal values are one place. */
interface Place {
  readonly kind: PlaceKind;
  readonly value: string;
}

/** What the lab does with a directive; null: it stays as it is. */
export type Treatment =
  | null
  | { readonly leaveOut: string }
  | { readonly refuse: string }
  /** @property write what it becomes, told what its places are in the lab, as `198.18.1.2:3128` or an address */
  | { readonly places: readonly Place[]; readonly write: (to: readonly string[], setup: LabOfBase) => string };

export interface Directive {
  readonly at: string;
  readonly text: string;
  /** In lower case. */
  readonly name: string;
  readonly args: readonly string[];
  /** Heads of the parts of the file in which it stands, the outermost first. */
  readonly within: readonly string[];
  /** Number of the innermost of them. */
  readonly part: number;
}

/** What a kind of proxy says of its configuration files. */
export interface BaseRules {
  readonly syntax: Syntax;
  /** The directive that includes other files; absent: there is none. */
  readonly include?: string;
  treat(directive: Directive, all: readonly Directive[]): Treatment;
  /** Settings that say what such a file says itself. */
  readonly settings: readonly string[];
  /** Lines that the lab adds, and where: at the top, at the end, or behind the head of each part that begins so. */
  add(
    setup: LabOfBase,
    all: readonly Directive[],
  ): { readonly where: 'top' | 'end' | RegExp; readonly lines: readonly string[] }[];
  /** What of that is more than logs, pid file and user, for the reader: `http_access allow all: …`. */
  readonly added: readonly string[];
}

/** Reads the files of a name or a pattern with `*`. @param from the file that asks for it; null: the profile */
export type ReadFiles = (
  pattern: string,
  from: string | null,
) => { readonly files: readonly { readonly file: string; readonly text: string }[] } | { readonly problem: string };

/** Read a file with all that it includes. @returns a problem in a sentence without a full stop */
export function readBase(name: string, rules: BaseRules, read: ReadFiles): Base | { readonly problem: string } {
  let included = 0;
  const linesOf = (pattern: string, from: string | null): Base['lines'] => {
    const found = read(pattern, from);
    if ('problem' in found) throw new Problem(found.problem);
    return found.files.flatMap((each) =>
      rules.syntax.split(each.text).flatMap(([line, text]): Base['lines'] => {
        const [first, ...patterns] = rules.syntax.words(text);
        const at = `${each.file}:${line}`;
        if (rules.include === undefined || first?.toLowerCase() !== rules.include) return [[at, text]];
        if (++included > MOST_INCLUDED)
          throw new Problem(`${at}: files include each other, or more than ${MOST_INCLUDED}`);
        return patterns.flatMap((other) => linesOf(unquoted(other), from === null ? each.file : from));
      }),
    );
  };
  try {
    const lines = linesOf(name, null);
    const size = lines.reduce((sum, [, text]) => sum + text.length, 0);
    if (size > MOST_CHARACTERS)
      return { problem: `${name} has ${size} characters of directives; at most ${MOST_CHARACTERS} are allowed` };
    if (lines.length === 0) return { problem: `${name} has no directive` };
    return { file: name, lines };
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message };
    throw error;
  }
}

class Problem extends Error {}

/** A word of a file without its quotes. */
export function unquoted(word: string): string {
  return /^(["']).*\1$/.test(word) ? word.slice(1, -1) : word;
}

function directivesOf({ lines }: Base, { syntax }: BaseRules): Directive[] {
  const open: { readonly head: string; readonly part: number }[] = [];
  return lines.map(([at, text], i) => {
    if (syntax.closes(text)) open.pop();
    const [name = '', ...args] = syntax.words(text);
    const directive = {
      at,
      text,
      name: name.toLowerCase(),
      args,
      within: open.map(({ head }) => head),
      part: open.at(-1)?.part ?? -1,
    };
    if (syntax.opens(text)) open.push({ head: text, part: i });
    return directive;
  });
}

interface Treated {
  readonly directive: Directive;
  readonly treatment: Treatment;
}

interface Understood {
  readonly treated: readonly Treated[];
  /** Values of each kind of place in the order in which they come, and where they stand. */
  readonly places: Readonly<Record<PlaceKind, ReadonlyMap<string, string>>>;
}

function understand(base: Base, rules: BaseRules): Understood {
  const all = directivesOf(base, rules);
  const places = {
    listen: new Map<string, string>(),
    outgoing: new Map<string, string>(),
    origin: new Map<string, string>(),
  };
  const listening = new Set<string>();
  const treated = all.map((directive): Treated => {
    const treatment = rules.treat(directive, all);
    if (treatment === null || !('places' in treatment)) return { directive, treatment };
    for (const { kind, value } of treatment.places) {
      const key = `${directive.part} ${value}`;
      // 80 and [::]:80 of one server are one place here.
      if (kind === 'listen' && listening.has(key))
        return { directive, treatment: { leaveOut: 'the lab has one listener for this port' } };
      if (kind === 'listen') listening.add(key);
      if (!places[kind].has(value)) places[kind].set(value, directive.at);
    }
    return { directive, treatment };
  });
  return { treated, places };
}

/** How many places a reverse proxy with this file listens in. */
export function listenersOf(base: Base, rules: BaseRules): number {
  return understand(base, rules).places.listen.size;
}

/**
 * Why this file cannot be used in the lab, each a sentence without a full stop that begins with where in the file.
 * @param lab outgoing addresses and destinations that the arm has; `reverse`: the proxy's origins are in its file
 */
export function problemsOf(
  base: Base,
  rules: BaseRules,
  lab: { readonly addresses: number; readonly destinations: number; readonly reverse: boolean },
): string[] {
  const { treated, places } = understand(base, rules);
  const refused = treated.flatMap(({ directive, treatment }) =>
    treatment && 'refuse' in treatment ? [`${directive.at}: ${directive.text}: ${treatment.refuse}`] : [],
  );
  const { listen, outgoing, origin } = places;
  const where = (found: ReadonlyMap<string, string>) => [...found].map(([value, at]) => `${value} at ${at}`).join(', ');
  const counted = (count: number, what: string) => `${count} ${plural(what, count)}`;
  const counts: string[] = [];
  if (outgoing.size === 0 && lab.addresses > 1)
    counts.push(
      `${base.file} names no outgoing address, so that one of ${lab.addresses} addresses would be used: use one, for example addresses: { list: [10.50.0.1] }`,
    );
  else if (outgoing.size > 0 && outgoing.size !== lab.addresses)
    counts.push(
      `${base.file} has ${counted(outgoing.size, 'outgoing address')} (${where(outgoing)}), and addresses has ${lab.addresses}: use as many`,
    );
  if (lab.reverse && origin.size !== lab.destinations)
    counts.push(
      `${base.file} has ${counted(origin.size, 'server')}${origin.size > 0 ? ` (${where(origin)})` : ''}, and destinations has ${lab.destinations}: write destinations: { addresses: ${Math.max(origin.size, 1)} }`,
    );
  if (lab.reverse && listen.size !== 1 && listen.size !== lab.destinations)
    counts.push(
      `${base.file} listens in ${counted(listen.size, 'place')}${listen.size > 0 ? ` (${where(listen)})` : ''}, and clients take turns among destinations, of which there are ${lab.destinations}: leave one listener, or one for each`,
    );
  return [...refused, ...counts];
}

const NAMES: Readonly<Record<PlaceKind, string>> = {
  listen: "where the lab's clients find it",
  outgoing: "the profile's address",
  origin: "the lab's destination",
};

/** What the lab changes in a file, for the reader. */
export function changesIn(
  base: Base,
  rules: BaseRules,
): { readonly at: string; readonly was: string; readonly change: string }[] {
  const { treated, places } = understand(base, rules);
  const changed = treated.flatMap(({ directive: { at, text }, treatment }) => {
    if (treatment === null || 'refuse' in treatment) return [];
    if ('leaveOut' in treatment) return [{ at, was: text, change: `left out: ${treatment.leaveOut}` }];
    const becomes = treatment.places.map(({ kind, value }) => {
      const all = [...places[kind].keys()];
      return `${value} is ${NAMES[kind]}${all.length > 1 ? ` ${all.indexOf(value) + 1}` : ''}`;
    });
    return [{ at, was: text, change: becomes.join('; ') || 'in the folder of the lab' }];
  });
  return [...changed, ...rules.added.map((change) => ({ at: 'added', was: '', change }))];
}

/** The file as the lab writes it. Comments say what it was. @param config the profile's own lines, at the end */
export function adopted(base: Base, rules: BaseRules, setup: LabOfBase, config: readonly string[] = []): string {
  const { treated, places } = understand(base, rules);
  const added = rules.add(
    setup,
    treated.map(({ directive }) => directive),
  );
  const of = (where: 'top' | 'end') => added.flatMap((each) => (each.where === where ? each.lines : []));
  const body = treated.flatMap(({ directive, treatment }) => {
    const { text, within } = directive;
    const indent = '  '.repeat(within.length);
    const behind = added.flatMap(({ where, lines }) => (where instanceof RegExp && where.test(text) ? lines : []));
    const now =
      treatment === null || 'refuse' in treatment
        ? [text]
        : 'leaveOut' in treatment
          ? [`# left out by bindstorm: ${oneLine(text)}`]
          : [
              `# bindstorm: it was ${oneLine(text)}`,
              treatment.write(
                treatment.places.map((place) => placeInLab(place, places, setup)),
                setup,
              ),
            ];
    return [...now.map((line) => `${indent}${line}`), ...behind.map((line) => `${indent}  ${line}`)];
  });
  return `${[...of('top'), ...body, ...of('end'), ...config].join('\n')}\n`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

function placeInLab(
  { kind, value }: Place,
  places: Understood['places'],
  { listen, outgoing, destinations }: LabOfBase,
): string {
  const i = [...places[kind].keys()].indexOf(value);
  switch (kind) {
    case 'listen':
      return formatTarget(listen[i] ?? listen[0]);
    case 'outgoing':
      return outgoing[i]!;
    case 'origin':
      return formatTarget(destinations[i]!);
  }
}
