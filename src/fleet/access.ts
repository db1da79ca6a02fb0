/**
 * How a fleet is reached, and as what: a file that `fleet up` has written, or the URL of a server.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../domain/error.js';
import { readJson, readRegularFile } from '../machine/read-file.js';
import { replaceFile } from '../machine/replace-file.js';
import { stateDirectory } from '../machine/xdg.js';
import { credsText, isCreds } from './creds.js';

/** What a connection may do (server/permissions.ts). */
export const ROLES = ['controller', 'agent'] as const;
export type Role = (typeof ROLES)[number];

export const accessSchema = z.object({
  url: z.string(),
  role: z.enum(ROLES),
  /** The seed of an nkey, which is a secret: the server only knows the public key. Absent: the server asks for none. */
  seed: z.string().optional(),
  /** The text of a credentials file (.creds), a secret too, of a server whose users have JWTs. */
  creds: z.string().refine(isCreds).optional(),
  /** A secret that all share, of a server that asks for one. */
  token: z.string().optional(),
  /** The certificate that the server's is signed with, PEM; absent: one that this machine trusts. */
  ca: z.string().optional(),
  /** This client's certificate and its key, PEM, for a server that asks for them. */
  cert: z.string().optional(),
  key: z.string().optional(),
});
export type Access = z.infer<typeof accessSchema>;

/** What lets in, of which a server asks for one. */
type Secrets = Pick<Access, 'seed' | 'creds' | 'token'>;

/**
 * Environment variables, for a URL: the seed of an nkey, or the path of a credentials file, the same for agents where they have one of their
 * own, and a token.
 */
export const KEY_VARIABLE = 'BINDSTORM_FLEET_KEY';
export const CREDS_VARIABLE = 'BINDSTORM_FLEET_CREDS';
export const AGENT_CREDS_VARIABLE = 'BINDSTORM_FLEET_AGENT_CREDS';
export const AGENT_KEY_VARIABLE = 'BINDSTORM_FLEET_AGENT_KEY';
export const TOKEN_VARIABLE = 'BINDSTORM_FLEET_TOKEN';

/** Where `fleet up` listens, unless told otherwise. */
export const LISTEN = '127.0.0.1:4222';

/** Where `fleet up` keeps what it needs, unless told otherwise. */
export function fleetFolder(): string {
  return join(stateDirectory(), 'fleet');
}

/** Where the files are that let in at a server that runs elsewhere, unless told otherwise. @param url of the server */
export function serverFolder(url: string): string {
  return join(fleetFolder(), 'servers', new URL(url).host.replace(/[^\w.-]+/g, '-'));
}

/** The file that lets a role in. */
export function accessFile(folder: string, role: Role): string {
  return join(folder, `${role}.json`);
}

/**
 * @param where a file, or a URL as nats://127.0.0.1:4222, with the key of the environment, or of a fleet that was started on this machine; absent:
 * that fleet, or where `fleet up` listens otherwise
 * @throws UserError
 */
export function accessOf(where: string | undefined, role: Role): Access {
  if (where === undefined)
    return accessByUrl(readJson(accessFile(fleetFolder(), role), accessSchema)?.url ?? `nats://${LISTEN}`, role);
  if (/^(?:nats|tls):\/\//.test(where)) return accessByUrl(where, role);
  if (!existsSync(where))
    throw new UserError(
      `there is no file ${where}; name the file ${role}.json that \`bindstorm fleet up\` has written, or a URL as nats://127.0.0.1:4222`,
    );
  return accessIn(readRegularFile(where, 'name a file of `bindstorm fleet up`'), where, role);
}

/** @param text of a file that `fleet up` has written @param where it comes from, for messages @throws UserError */
export function accessIn(text: string, where: string, role: Role): Access {
  const found = accessSchema.safeParse(parsed(text));
  if (!found.success)
    throw new UserError(
      `${where} is not a file of \`bindstorm fleet up\`; name its ${role}.json, or a URL as nats://…`,
    );
  if (found.data.role !== role)
    throw new UserError(`${where} lets ${found.data.role}s in, and this is a ${role}; name the file ${role}.json`);
  return found.data;
}

function accessByUrl(given: string, role: Role): Access {
  const url = checkedUrl(given);
  const secrets = secretsOf(role);
  if (secrets !== null) return { url, role, ...secrets };
  const known = [fleetFolder(), serverFolder(url)].map((folder) => readJson(accessFile(folder, role), accessSchema));
  return known.find((own) => own?.url === url) ?? { url, role };
}

/** @throws UserError for what is no address of a server, or has a secret, which others on this machine would see */
function checkedUrl(given: string): string {
  const url = given.replace(/\/$/, '');
  const { hostname, username } = URL.canParse(url) ? new URL(url) : { hostname: '', username: '' };
  if (hostname === '')
    throw new UserError(`${url} is not an address of a server; write for example nats://127.0.0.1:4222`);
  if (username !== '')
    throw new UserError(
      `the URL of the server has a secret in it, which every user of this machine can see; leave it out, and set ${KEY_VARIABLE} (the seed of an nkey) or ${TOKEN_VARIABLE} in the environment`,
    );
  return url;
}

/** What the environment has to let a role in; null: nothing. @throws UserError where it names another file than a credentials file */
export function secretsOf(role: Role): Secrets | null {
  const { env } = process;
  const own = role === 'agent' ? [{ seed: env[AGENT_KEY_VARIABLE], creds: env[AGENT_CREDS_VARIABLE] }] : [];
  for (const { seed, creds } of [...own, { seed: env[KEY_VARIABLE], creds: env[CREDS_VARIABLE] }]) {
    if (seed) return { seed };
    if (creds) return { creds: credsText(creds) };
  }
  const token = env[TOKEN_VARIABLE];
  return token ? { token } : null;
}

/** The same server, entered by other secrets, or by the same where there are none. */
export function enteredBy(access: Access, secrets: Secrets | null): Access {
  const { seed, creds, token, ...rest } = access;
  return { ...rest, ...(secrets ?? { seed, creds, token }) };
}

/** Whether a server cannot tell the two apart by their secrets. */
export function areOne(one: Access, other: Access): boolean {
  return one.seed === other.seed && one.creds === other.creds && one.token === other.token;
}

/** Write the file that lets a role in. @returns its path */
export function writeAccess(folder: string, access: Access): string {
  const path = accessFile(folder, access.role);
  replaceFile(path, `${JSON.stringify(access, null, 2)}\n`, { mode: 0o600 });
  return path;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A certificate or a key. @throws UserError where the file cannot be read, or is no PEM */
export function pemText(path: string): string {
  const text = textIn(path);
  if (!text.includes('-----BEGIN '))
    throw new UserError(`${path} is no PEM; name a file with -----BEGIN CERTIFICATE----- or a key`);
  return text;
}

function textIn(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(
      `${path} cannot be read (${(error as NodeJS.ErrnoException).code}); name a certificate or a key (PEM)`,
    );
  }
}
