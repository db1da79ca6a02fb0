/**
 * Settings: a row says everything that is known of one key of a profile, so that the validation, the JSON Schema, the reference, the
 * plan, the defaults, the examples in errors and the words for a change all come from one place. Pure, and free of the schema library
 * when the program runs, because the load workers load what stands on it.
 */
import type { z } from 'zod';

/** A kind of value: how a profile writes it, how a plan keeps it, and how it is said. `values.ts` has the common ones. */
export interface ValueKind<T> {
  /** The form that a profile may write, as `250ms`, parsed. */
  readonly written: z.ZodType<T>;
  /** The value in plans, journals and results, as the number 250. */
  readonly kept: z.ZodType<T>;
  /** As a profile writes it: `false`, `250ms`. */
  text(value: T): string;
  /** As a sentence says it: `off`, `250ms`. */
  words(value: T): string;
}

interface Described<As extends string> {
  /** What the setting means, for the reference, the JSON Schema and errors. */
  readonly describe: string;
  /** A right value, as a profile writes it: `250ms`. */
  readonly example: string;
  /** The key in the plan, where it is not the key in the profile: `holdMs` for `hold`. */
  readonly keptAs?: As | undefined;
}

/** A setting that a profile may leave out. */
export interface Setting<T, As extends string = never> extends ValueKind<T>, Described<As> {
  readonly needed: false;
  readonly default: T;
  /** The default for the reference: as a profile writes it, or in words where it depends on other settings or on the machine. */
  readonly defaultText: string;
}

/** A setting that a profile must have. */
export interface NeededSetting<T, As extends string = never> extends ValueKind<T>, Described<As> {
  readonly needed: true;
}

/** Key in the profile → what is known of it. */
export type Settings = Readonly<Record<string, Setting<unknown, string> | NeededSetting<unknown, string>>>;

type ValueOf<S> = S extends ValueKind<infer T> ? T : never;
type KeptKey<K, S> = S extends { readonly keptAs?: infer As }
  ? Extract<As, string> extends never
    ? K
    : Extract<As, string>
  : K;
type NeededKeys<S extends Settings> = { [K in keyof S]: S[K]['needed'] extends true ? K : never }[keyof S];

/** What a profile names of them, by the keys of the plan. */
export type Named<S extends Settings> = {
  [K in keyof S as K extends NeededKeys<S> ? KeptKey<K, S[K]> : never]: ValueOf<S[K]>;
} & { [K in keyof S as K extends NeededKeys<S> ? never : KeptKey<K, S[K]>]?: ValueOf<S[K]> | undefined };

/** Zod's shape of an object that a profile writes. */
export type WrittenShape<S extends Settings> = {
  [K in keyof S]: S[K]['needed'] extends true ? z.ZodType<ValueOf<S[K]>> : z.ZodOptional<z.ZodType<ValueOf<S[K]>>>;
};

/** Zod's shape of an object in a plan. */
export type KeptShape<S extends Settings> = {
  [K in keyof S as KeptKey<K, S[K]>]: undefined extends ValueOf<S[K]>
    ? z.ZodOptional<z.ZodType<Exclude<ValueOf<S[K]>, undefined>>>
    : z.ZodType<ValueOf<S[K]>>;
};

/** The complete values, by the keys of the plan. */
export type Complete<S extends Settings> = z.infer<z.ZodObject<KeptShape<S>>>;

/**
 * A row of a table of settings.
 * @example setting(duration, { default: 5000, keptAs: 'timeoutMs', describe: 'how long an attempt may take', example: '5s' })
 */
export function setting<T, const As extends string = never>(
  kind: ValueKind<T>,
  row: Described<As> & {
    readonly default: NoInfer<T>;
    readonly defaultText?: string;
    readonly words?: (value: NoInfer<T>) => string;
  },
): Setting<T, As> {
  return { ...kind, defaultText: kind.text(row.default), ...row, needed: false };
}

/** A row whose key is absent from the plan too when a profile leaves it out. */
export function optional<T, const As extends string = never>(
  kind: ValueKind<T>,
  row: Described<As> & { readonly defaultText?: string },
): Setting<T | undefined, As> {
  const absent = row.defaultText ?? '';
  return {
    written: kind.written,
    kept: kind.kept.optional(),
    text: (value) => (value === undefined ? absent : kind.text(value)),
    words: (value) => (value === undefined ? absent : kind.words(value)),
    defaultText: absent,
    ...row,
    default: undefined,
    needed: false,
  };
}

/** A row that has no default: a profile must name it. */
export function needed<T, const As extends string = never>(
  kind: ValueKind<T>,
  row: Described<As>,
): NeededSetting<T, As> {
  return { ...kind, ...row, needed: true };
}

/**
 * What a profile may write. Each key carries `description`, `example` (the line `hold: 250ms`) and `defaultText` as metadata, where
 * errors and the reference find them.
 * @example z.strictObject(writtenShape(LOAD))
 */
export function writtenShape<S extends Settings>(settings: S): WrittenShape<S> {
  const shape = mapRows(settings, (row, key) => [
    key,
    (row.needed ? row.written : row.written.optional()).meta({
      description: row.describe,
      example: `${key}: ${row.example}`,
      ...(row.needed || row.defaultText === '' ? {} : { defaultText: row.defaultText }),
    }),
  ]);
  return shape as WrittenShape<S>;
}

/** What a plan keeps, every key of it. @example z.object(keptShape(LOAD)) */
export function keptShape<S extends Settings>(settings: S): KeptShape<S> {
  return mapRows(settings, (row, key) => [row.keptAs ?? key, row.kept]) as KeptShape<S>;
}

/** The settings that a profile names, by the keys of the plan instead of its own. */
export function named<S extends Settings>(settings: S, written: object): Named<S> {
  const entries = Object.entries(written).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [settings[key]?.keptAs ?? key, value])) as Named<S>;
}

/** The defaults, by the keys of the plan. Keys whose default is undefined are left out. */
export function defaultsOf<S extends Settings>(settings: S): Partial<Complete<S>> {
  const rows = Object.entries(settings).flatMap(([key, row]) =>
    row.needed || row.default === undefined ? [] : [[row.keptAs ?? key, row.default]],
  );
  return Object.fromEntries(rows) as Partial<Complete<S>>;
}

/** What is named, and the defaults of the rest. @param derived defaults that depend on other settings */
export function complete<S extends Settings>(
  settings: S,
  values: Named<S>,
  derived: Partial<Complete<S>> = {},
): Complete<S> {
  const all: object = { ...defaultsOf(settings), ...defined(derived), ...defined(values) };
  return all as Complete<S>;
}

/** The settings that differ, as `hold 0s → 250ms`. Both are complete, and keyed as in the plan. */
export function changesOf<S extends Settings>(settings: S, before: Complete<S>, after: Complete<S>): string[] {
  const [from, to]: Record<string, unknown>[] = [{ ...before }, { ...after }];
  return Object.entries(settings).flatMap(([key, row]) => {
    const [was, is] = [from, to].map((values) => row.words(values?.[row.keptAs ?? key]));
    return was === is ? [] : [`${key} ${was} → ${is}`];
  });
}

type Row = Settings[string];

function mapRows<V>(settings: Settings, entry: (row: Row, key: string) => readonly [string, V]): Record<string, V> {
  return Object.fromEntries(Object.entries(settings).map(([key, row]) => entry(row, key)));
}

function defined(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
