/**
 * A fix of a catalogue (`fixes/*.yaml`, and of a NAT `fixes/nat/*.yaml`): what people say helps, who says so, what it changes, and the
 * rule that decides. Data; the changes are those of a variant in a profile, and are checked as such. Pure.
 */

import { z } from 'zod';
import { UserError } from '../domain/error.js';
import { PROXY_KINDS, proxySubjectOf, ROUTER_KINDS } from '../subjects/index.js';
import { parseYaml } from './yaml.js';

/** The programs that the catalogue can be put to beside the lab's own. */
export const FIX_PROXIES = PROXY_KINDS.filter((kind) => proxySubjectOf(kind).fixRow !== undefined);
/** What `fixes` has a table of beside strategies: these programs, and routers, which have a catalogue of their own. */
export const FIX_SUBJECTS = [...FIX_PROXIES, ...ROUTER_KINDS] as const;
export type FixSubject = (typeof FIX_SUBJECTS)[number];

/** Which fixes there are to try: of programs that choose local ports, or of a router whose NAT runs out of ports. */
export type CatalogueName = 'sockets' | 'router';

/** A part of a variant. */
const changeSchema = z.strictObject({
  sysctls: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  load: z.record(z.string(), z.unknown()).optional(),
  addresses: z.record(z.string(), z.unknown()).optional(),
  subject: z.record(z.string(), z.unknown()).optional(),
  destinations: z.record(z.string(), z.unknown()).optional(),
  roles: z.record(z.string(), z.unknown()).optional(),
});
export type Change = z.infer<typeof changeSchema>;

export const fixSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  title: z.string().min(1),
  /** As folklore has it. */
  claim: z.string().min(1),
  /** Where the claim is made. */
  source: z.string().min(1),
  change: changeSchema,
  /** By program, where `change` is not what the fix is for it: what is, or why the program cannot be told so. */
  subjects: z.partialRecord(z.enum(FIX_PROXIES), z.union([changeSchema, z.string().min(1)])).optional(),
  /** Why it works or does not. */
  rule: z.string().min(1),
  kernelSource: z.string().min(1),
  sideEffect: z.string().optional(),
});
export type Fix = z.infer<typeof fixSchema>;

/** @param file its path, for messages and to hold its name against @throws UserError */
export function parseFix(text: string, file: string): Fix {
  const yaml = parseYaml(text);
  if (!yaml.ok) throw new UserError(`${file}: ${yaml.problems[0]?.message ?? 'not YAML'}`);
  const parsed = fixSchema.safeParse(yaml.value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new UserError(`${file}: ${issue?.path.join('.') || 'the file'}: ${issue?.message}`);
  }
  return parsed.data;
}
