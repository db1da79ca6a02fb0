/**
 * What is sent to a box: a root folder for the agent (this machine's own Node with its libraries, this package), and a script that
 * starts the agent in it. The box's own distribution, its age and its C library do not matter then, and nothing is downloaded.
 */

import { basename } from 'node:path';
import { NODE_OPTIONS } from '../../machine/node-command.js';
import type { ProxySettings } from '../../subjects/index.js';
import type { CpioEntry } from '../vm/cpio.js';
import { agentPrograms, cachedImage, environmentOf, nodeLoader } from '../vm/image.js';
import { type Luggage, luggageOf } from '../vm/luggage.js';
import { GUEST_APP } from '../vm/packages.js';

/** Where vagrant/provision.sh puts it, each archive in a folder named by its key. */
const HOME = '/opt/bindstorm';

interface BoxImage {
  /** A cpio archive. */
  readonly path: string;
  /** Names its contents. */
  readonly key: string;
}

/** @param subjects whose programs are sent too @throws LabError when it cannot be made, or a program is not here */
export function boxImage(subjects: readonly ProxySettings[]): BoxImage {
  const path = cachedImage(() => boxEntries(subjects));
  return { path, key: basename(path, '.cpio') };
}

/** The start script in a box. */
export function startScript({ key }: BoxImage): string {
  return `${HOME}/${key}/start`;
}

/** What lies in the archive. */
export function boxEntries(subjects: readonly ProxySettings[] = []): CpioEntry[] {
  const { programs, folders } = agentPrograms();
  const luggage = luggageOf(subjects, nodeLoader());
  return [
    ...['/proc', '/sys', '/dev', '/dev/shm', '/tmp'].map((path) => ({ kind: 'directory', path }) as const),
    device('null', 3),
    device('zero', 5),
    device('random', 8),
    device('urandom', 9),
    { kind: 'text', path: '/start', text: scriptOf(folders, luggage), executable: true },
    ...programs,
    ...luggage.entries,
  ];
}

/** The memory devices, major number 1 (Documentation/admin-guide/devices.txt). */
function device(name: string, minor: number): CpioEntry {
  return { kind: 'character-device', path: `/dev/${name}`, major: 1, minor, shared: true };
}

/**
 * The chain of the netns lab, in a root folder of its own. /proc is the box's, and stays mounted from one run to the next. An agent
 * that a lost connection has left behind is killed first, and with it all of its namespace.
 */
function scriptOf(folders: readonly string[], luggage: Luggage): string {
  const variables = Object.entries(environmentOf(folders, luggage)).map(([name, value]) => `${name}='${value}'`);
  return `#!/bin/sh
# Starts the agent of bindstorm, as root: start run|check
set -eu
root=$(cd "$(dirname "$0")" && pwd)
# A mount namespace can be had only where the root is a mount of its own (mount_namespaces(7)).
grep -q " $root " /proc/self/mountinfo || mount --rbind "$root" "$root"
[ -e "$root/proc/self" ] || mount -t proc proc "$root/proc"
last=$(cat "$root/last" 2>/dev/null) || last=none
if [ "$(readlink "/proc/$last/exe")" = "$root/bin/unshare" ]; then kill -KILL "$last"; fi
echo $$ >"$root/last"
ulimit -n 1048576 2>/dev/null || :
chroot=$(command -v chroot)
export ${variables.join(' ')} HOME=/ XDG_STATE_HOME=/state
exec "$chroot" "$root" /bin/unshare --net --pid --fork --kill-child=KILL -- /bin/node ${[...NODE_OPTIONS, GUEST_APP].join(' ')}/dist/bundle/agent/entry.js box "$1"
`;
}
