/**
 * A server of a fleet on this machine: Debian's nats-server as a child that ends with this process, however that ends.
 */
import { spawn } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { createUser, fromSeed } from '@nats-io/nkeys';
import { EXIT, LabError, UserError } from '../../domain/error.js';
import { makeFolder } from '../../machine/folders.js';
import { DIE_WITH_PARENT } from '../../machine/parent-death.js';
import { findProgram, NATS_SERVER } from '../../machine/programs.js';
import { readJson } from '../../machine/read-file.js';
import { replaceFile } from '../../machine/replace-file.js';
import { type Access, accessFile, accessSchema, pemText, ROLES, type Role, writeAccess } from '../access.js';
import { permissionsOf } from './permissions.js';

export interface EmbeddedOptions {
  /** Keys, settings and the streams. */
  readonly folder: string;
  /** As 127.0.0.1:4222. */
  readonly listen: string;
  /** How others reach it, where that is not the address that it listens on. */
  readonly url?: string | undefined;
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string | undefined } | undefined;
}

export interface EmbeddedServer {
  readonly pid: number;
  readonly access: Readonly<Record<Role, Access>>;
  /** When it has ended, with what it said last. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

const ROOM = { memory: '256MB', disk: '20GB', payload: 8 * 1024 * 1024 };

/**
 * Start it; its keys are made at the first time and kept. Returns before it answers.
 * @throws UserError, LabError where the program is not there
 */
export function startServer({ folder, listen, url, tls }: EmbeddedOptions): EmbeddedServer {
  const program = findProgram(NATS_SERVER);
  if (program === undefined)
    throw new LabError(`${NATS_SERVER} is not on this machine`, {
      remedy: `install it, for example: apt-get install --no-install-recommends ${NATS_SERVER}; or use a server that runs elsewhere: --nats URL`,
    });
  makeFolder(folder, 0o700);
  chmodSync(folder, 0o700);
  const reached = url ?? `${tls ? 'tls' : 'nats'}://${listen}`;
  // Said here with the name of the file, and by the server with a line of its configuration.
  if (tls) pemText(tls.key);
  const ca = tls ? pemText(tls.ca ?? tls.cert) : undefined;
  const access = Object.fromEntries(
    ROLES.map((role) => {
      const own = readJson(accessFile(folder, role), accessSchema);
      const seed = own?.seed ?? new TextDecoder().decode(createUser().getSeed());
      const made: Access = { url: reached, role, seed, ...(ca ? { ca } : {}) };
      writeAccess(folder, made);
      return [role, made];
    }),
  ) as Record<Role, Access>;
  const path = join(folder, 'nats.conf');
  replaceFile(path, configuration({ folder, listen, tls }, access), { mode: 0o600 });
  return launch(program, path, access);
}

function launch(program: string, path: string, access: EmbeddedServer['access']): EmbeddedServer {
  const [first, ...rest] = [...DIE_WITH_PARENT, program, '-c', path];
  // A group of its own: Ctrl-C reaches the command alone, which ends it in good order.
  const child = spawn(first!, rest, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4_000);
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(`${reasonIn(said)} (${signal ?? `exit code ${code}`})`));
  });
  return {
    pid: child.pid ?? 0,
    access,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Its last complaint. */
function reasonIn(said: string): string {
  const lines = said.trim().split('\n');
  const fatal = lines.findLast((line) => /\[(?:FTL|ERR)\]|nats-server:/.test(line));
  return (fatal ?? lines.at(-1) ?? '').replace(/^.*?\[(?:FTL|ERR)\] /, '');
}

/** @throws UserError for keys that are damaged */
function configuration(
  { folder, listen, tls }: Pick<EmbeddedOptions, 'folder' | 'listen' | 'tls'>,
  access: EmbeddedServer['access'],
): string {
  const users = ROLES.map((role) => ({
    nkey: publicKey(access[role], accessFile(folder, role)),
    permissions: permissionsOf(role),
  }));
  return `${[
    `server_name: bindstorm`,
    `listen: ${JSON.stringify(listen)}`,
    `max_payload: ${ROOM.payload}`,
    `max_pending: ${16 * ROOM.payload}`,
    `jetstream: { store_dir: ${JSON.stringify(join(folder, 'jetstream'))}, max_memory_store: ${ROOM.memory}, max_file_store: ${ROOM.disk} }`,
    ...(tls
      ? [`tls: { cert_file: ${JSON.stringify(tls.cert)}, key_file: ${JSON.stringify(tls.key)}, timeout: 30 }`]
      : []),
    // Of seconds; a busy machine takes longer than the two that are usual to sign in.
    `authorization: { timeout: 30, users: ${JSON.stringify(users)} }`,
  ].join('\n')}\n`;
}

function publicKey({ seed = '' }: Access, path: string): string {
  try {
    return fromSeed(new TextEncoder().encode(seed)).getPublicKey();
  } catch {
    throw new UserError(`${path} has no key that can be used; remove it, and a new one is made`, {
      exitCode: EXIT.badInput,
    });
  }
}
