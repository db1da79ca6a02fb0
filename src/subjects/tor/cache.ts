/**
 * A private Tor network that has been up once: its keys, descriptors and consensus, kept in the user's cache. The next start, with
 * a copy of them, takes a second or two instead of ten. All of it can be deleted at any time.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '../../machine/folders.js';
import { sweepUnfinished, type Unfinished, unfinishedFolder } from '../../machine/unfinished.js';
import { cacheDirectory } from '../../machine/xdg.js';
import { type NetworkIdentity, NOTICE_LOG, type TorLayout } from './layout.js';

/** Raised when a network made before would not do for the torrc texts of now. */
const FORMAT = 1;
/** The consensus is valid for thirty days, onion keys for twenty-eight. */
const LONGEST_AGE_MS = 14 * 86_400_000;
const IDENTITY_FILE = 'network.json';
/** What a running node leaves that must not come again: sockets, and the log of which the last line says that it is ready. */
const NOT_KEPT = new Set([NOTICE_LOG, 'control', 'socks', 'lock', 'pid', 'torrc']);

const identitySchema = z.object({
  made: z.number(),
  v3ident: z.string(),
  fingerprints: z.record(z.string(), z.string()),
});

const networksFolder = () => join(cacheDirectory(), 'tor');

/** The folders of all networks that are kept on this machine, none of them half made. */
export function keptNetworks(): string[] {
  const folder = networksFolder();
  if (!existsSync(folder)) return [];
  const networks = readdirSync(folder).sort();
  return networks.map((name) => join(folder, name)).filter((path) => existsSync(join(path, IDENTITY_FILE)));
}

export interface NetworkCache {
  /** Put a copy of the network where the layout says. @returns null when there is none that is fresh */
  restore(): NetworkIdentity | null;
  /** Keep the folders of nodes that have ended. */
  keep(identity: NetworkIdentity): void;
  drop(): void;
}

/**
 * @param version of the program: a network is of one version
 * @param now milliseconds since the epoch
 */
export function networkCache(layout: TorLayout, version: string, now: () => number): NetworkCache {
  const { directory, nodes, socks, dirPort } = layout;
  const plan = [FORMAT, version, nodes, socks, dirPort];
  const key = createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 16);
  const networks = networksFolder();
  const folder = join(networks, `${version}-${layout.exits.length}-${key}`);
  const kept = (path: string) => {
    const isSocket = statSync(path, { throwIfNoEntry: false })?.isSocket() ?? true;
    return !isSocket && !NOT_KEPT.has(basename(path));
  };

  return {
    restore() {
      sweepUnfinished(networks);
      try {
        const { made, ...identity } = identitySchema.parse(
          JSON.parse(readFileSync(join(folder, IDENTITY_FILE), 'utf8')),
        );
        if (made > now() || now() - made > LONGEST_AGE_MS) return null;
        for (const { name } of nodes)
          cpSync(join(folder, name), join(directory, name), { recursive: true, preserveTimestamps: true });
        return identity;
      } catch {
        // Not there, of another time, or being deleted by somebody: it is made anew.
        return null;
      }
    },
    keep(identity) {
      let part: Unfinished | undefined;
      try {
        makeFolder(networks);
        part = unfinishedFolder(networks);
        const work = part.path;
        for (const { name } of nodes)
          cpSync(join(directory, name), join(work, name), { recursive: true, preserveTimestamps: true, filter: kept });
        writeFileSync(join(work, IDENTITY_FILE), JSON.stringify({ made: now(), ...identity }));
        rmSync(folder, { recursive: true, force: true });
        renameSync(work, folder);
      } catch {
        // Without a cache the next start takes longer, and that is all. Somebody else may have kept theirs in between.
        if (part !== undefined) rmSync(part.path, { recursive: true, force: true });
      } finally {
        part?.release();
      }
    },
    drop: () => rmSync(folder, { recursive: true, force: true }),
  };
}
