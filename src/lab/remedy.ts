/**
 * Why a netns lab may be refused on this machine, and what its owner can do.
 */
import { readFileSync } from 'node:fs';
import type { Check } from '../agent/protocol.js';
import { LabError, unlessThrown } from '../domain/error.js';
import { findProgram } from '../machine/programs.js';

/** The programs that make the lab; both are of util-linux. */
const PROGRAMS = ['setpriv', 'unshare'];

/** The usual switches of distributions, and the value with which an ordinary user gets a namespace. */
const SWITCHES = [
  'kernel.unprivileged_userns_clone=1',
  'kernel.apparmor_restrict_unprivileged_userns=0',
  'user.max_user_namespaces=15000',
];

/** What to do when no lab comes up, as far as it shows from outside. */
export function labRemedy(): string {
  const missing = PROGRAMS.filter((program) => findProgram(program) === undefined);
  if (missing.length > 0) return `install ${missing.join(' and ')}, for example: apt-get install util-linux`;
  if (process.getuid?.() === 0)
    return 'root in a container may lack CAP_SYS_ADMIN: run the container with --privileged, or run outside';
  const closed = SWITCHES.filter(isClosed);
  return closed.length > 0 ? `run as root, or allow user namespaces: sysctl -w ${closed.join(' ')}` : 'run as root';
}

/** The same error; with a remedy where the system refused the namespaces, as the names of the programs in the message show. */
export function withLabRemedy(error: unknown): unknown {
  if (!(error instanceof LabError) || !/setpriv|unshare/.test(error.message)) return error;
  return new LabError(error.message, { cause: error.cause, remedy: labRemedy() });
}

/** Why no sysctl can be set in a lab, of one that was tried; undefined: they can, or none was tried. */
export function readOnlySysctls({ sysctls }: Pick<Check, 'sysctls'>): LabError | undefined {
  if (!sysctls.some(({ errno }) => errno === 'EROFS')) return undefined;
  return new LabError('/proc/sys is mounted read-only here, so that no sysctl can be set in a lab', {
    remedy:
      'in a container, run it with --privileged or with --security-opt systempaths=unconfined, or run it outside; elsewhere: mount -o remount,rw /proc/sys',
  });
}

/** The machine has this switch, and it stands otherwise. */
function isClosed(text: string): boolean {
  const [name, wanted] = text.split('=') as [string, string];
  const value = unlessThrown(() => readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').trim(), null);
  return value !== null && (name.startsWith('user.') ? value === '0' : value !== wanted);
}

/** What brings TPROXY of nf_tables, which a lab without root cannot load by itself. */
export const INTERNET_REMEDY =
  'load the module, as root: modprobe nft_tproxy. Distributions have it since Linux 4.19 (CONFIG_NFT_TPROXY)';

/** The same of a guest: Debian's User-Mode Linux has nf_tables, and none of its IP families (CONFIG_NF_TABLES_INET), from 5.10 to 7.2. */
export const INTERNET_REMEDY_OF_UML =
  "run it with engine qemu: Debian's User-Mode Linux kernels are built without nf_tables for IP (CONFIG_NF_TABLES_INET)";
