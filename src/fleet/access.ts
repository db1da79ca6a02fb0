/**
 * How a fleet is reached, and as what: a file that `fleet up` has written, or the URL of a server.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../domain/error.js';
import { readJson, readRegularFile } from '../machine/read-file.js';
import { stateDirectory } from '../machine/xdg.js';

/** What a connection may do (server/permissions.ts). */
export const ROLES = ['controller', 'agent'] as const;
export type Role = (typeof ROLES)[number];

export const accessSchema = z.object({
  url: z.string(),
  role: z.enum(ROLES),
  /** The seed of an nkey, which is a secret: the server only knows the public key. Absent: the server asks for none. */
  seed: z.string().optional(),
  /** The certificate that the server's is signed with, PEM; absent: one that this machine trusts. */
  ca: z.string().optional(),
});
export type Access = z.infer<typeof accessSchema>;

/** The environment variable that has the seed of an nkey, for a URL. */
export const KEY_VARIABLE = 'BINDSTORM_FLEET_KEY';

/** Where `fleet up` keeps what it needs, unless told otherwise. */
export function fleetFolder(): string {
  return join(stateDirectory(), 'fleet');
}

/** The file that lets a role in. */
export function accessFile(folder: string, role: Role): string {
  return join(folder, `${role}.json`);
}

/**
 * @param where a file, or a URL as nats://127.0.0.1:4222, with the key of the environment, or of a fleet that was started on this machine
 * @throws UserError
 */
export function accessOf(where: string, role: Role): Access {
  if (/^(?:nats|tls):\/\//.test(where)) return accessByUrl(where, role);
  if (!existsSync(where))
    throw new UserError(
      `there is no file ${where}; name the file ${role}.json that \`bindstorm fleet up\` has written, or a URL as nats://127.0.0.1:4222`,
    );
  const found = accessSchema.safeParse(parsed(readRegularFile(where, 'name a file of `bindstorm fleet up`')));
  if (!found.success)
    throw new UserError(
      `${where} is not a file of \`bindstorm fleet up\`; name its ${role}.json, or a URL as nats://…`,
    );
  if (found.data.role !== role)
    throw new UserError(`${where} lets ${found.data.role}s in, and this is a ${role}; name the file ${role}.json`);
  return found.data;
}

function accessByUrl(url: string, role: Role): Access {
  if (!URL.canParse(url) || new URL(url).hostname === '')
    throw new UserError(`${url} is not an address of a server; write for example nats://127.0.0.1:4222`);
  const seed = process.env[KEY_VARIABLE];
  if (seed) return { url, role, seed };
  const own = readJson(accessFile(fleetFolder(), role), accessSchema);
  return own?.url === url.replace(/\/$/, '') ? own : { url, role };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @throws UserError where the file cannot be read */
export function certificateText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code}); name a certificate (PEM)`);
  }
}
