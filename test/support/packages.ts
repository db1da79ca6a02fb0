/**
 * The Debian packages that the tests need beside Node: what each is for, which test files need it, and what is done about those that
 * are missing. Pure; scripts/test-packages.mjs looks at the machine and calls apt.
 *
 * A test file says in its first lines what it needs, for example `// needs: squid, strace`. Every lab and e2e test needs util-linux.
 */
import { PROXY_KINDS, programOf, proxySubjectOf } from '../../src/subjects/index.js';

export interface TestPackage {
  readonly name: string;
  /** The program by which it is found, whoever installed it; null: dpkg is asked. */
  readonly program: string | null;
  readonly why: string;
}

/** The packages of the tests. Those of the proxies come from src/subjects, so a new proxy needs no row here. */
export const TEST_PACKAGES: readonly TestPackage[] = [
  { name: 'util-linux', program: 'setpriv', why: 'starts every lab (setpriv, unshare)' },
  { name: 'qemu-system-x86', program: 'qemu-system-x86_64', why: 'boots guests with a kernel of their own' },
  { name: 'cpio', program: 'cpio', why: 'reads the images of guests, to check them' },
  { name: 'bpftrace', program: 'bpftrace', why: "counts a proxy's refused calls with eBPF" },
  { name: 'prometheus', program: 'promtool', why: "reads the gauge's metrics, alert rules and dashboard" },
  ...[
    ['iproute2', 'ss'],
    ['net-tools', 'netstat'],
    ['lsof', 'lsof'],
    ['psmisc', 'fuser'],
  ].map(([name, program]) => ({
    name: name!,
    program: program!,
    why: 'counts ports, which the gauge is compared with; ip joins the namespaces of a fleet',
  })),
  { name: 'curl', program: 'curl', why: "a client of many, on the lab's internet" },
  ...['wget', 'ruby', 'php-cli'].map((name) => ({
    name,
    program: name.replace('-cli', ''),
    why: "a client of many, on the lab's internet",
  })),
  ...['python3-requests', 'libwww-perl'].map((name) => ({
    name,
    program: null,
    why: "a client of many, on the lab's internet",
  })),
  { name: 'binutils', program: 'objcopy', why: 'assembles the loop that makes calls in a row, to check it' },
  { name: 'golang-go', program: 'go', why: "builds a client of many, on the lab's internet" },
  { name: 'default-jdk-headless', program: 'javac', why: "runs a client of many, on the lab's internet" },
  ...['python3', 'socat', 'rsync', 'tnftp', 'httping', 'lftp', 'ncat', 'iperf3'].map((name) => ({
    name,
    program: name,
    why: 'a program of the survey',
  })),
  ...[
    ['rinetd', 'rinetd', 'goes on from another address when bind() is refused'],
    ['apache2-bin', 'apache2', 'goes on from another address when bind() is refused'],
    ['pen', 'pen', 'keeps failing when there are ports again'],
  ].map(([name, program, why]) => ({ name: name!, program: program!, why: `a program that ${why}` })),
  { name: 'postgresql', program: 'pgbench', why: 'a database and its benchmark, an example' },
  { name: 'pgbouncer', program: 'pgbouncer', why: 'a pooler of database connections, an example' },
  { name: 'openssh-client', program: 'ssh', why: 'a program of the survey' },
  { name: 'openssh-server', program: 'sshd', why: 'machines on which agents of a fleet are started' },
  { name: 'redis-tools', program: 'redis-cli', why: 'a program of the survey' },
  { name: 'nats-server', program: 'nats-server', why: 'the server of a fleet' },
  { name: 'openssl', program: 'openssl', why: 'checks the certificates of the lab strictly' },
  { name: 'iptables', program: 'iptables-nft', why: 'makes the rules of a NAT, as nf_tables does by itself' },
  { name: 'vagrant', program: 'vagrant', why: 'checks the Vagrantfile' },
  { name: 'vagrant-libvirt', program: null, why: 'the provider with which vagrant reads the Vagrantfile' },
  ...['zsh', 'fish'].map((name) => ({ name, program: name, why: 'completes the command line' })),
  { name: 'mandoc', program: 'mandoc', why: 'checks the manual page' },
  { name: 'groff-base', program: 'groff', why: 'shows the manual page' },
  { name: 'ansible-core', program: 'ansible-playbook', why: 'applies a change that helped' },
  { name: 'docker-compose', program: 'docker-compose', why: 'reads a change that helped' },
  { name: 'systemd', program: 'systemd-analyze', why: 'reads a change that helped' },
  { name: 'passt', program: 'pasta', why: 'carries the connections of a rootless container' },
  { name: 'slirp4netns', program: 'slirp4netns', why: 'carries the connections of a rootless container' },
  { name: 'dpkg-dev', program: 'dpkg-shlibdeps', why: 'finds what the Debian package depends on' },
  { name: 'lintian', program: 'lintian', why: 'checks the Debian package' },
  { name: 'buildah', program: 'buildah', why: 'builds the image of a container' },
  { name: 'mmdebstrap', program: 'mmdebstrap', why: 'makes what the image of a container begins with' },
  { name: 'procps', program: 'sysctl', why: 'applies a change that helped' },
  { name: 'chromium', program: 'chromium', why: 'opens the reports and the live page' },
  ...PROXY_KINDS.flatMap((kind) => {
    const { debianPackage, defaults } = proxySubjectOf(kind);
    return debianPackage.split(' ').map((name, i) => ({
      name,
      program: i === 0 ? programOf(defaults).binary : null,
      why: `the proxy ${kind}, a subject`,
    }));
  }),
];

export type Group = 'unit' | 'lab' | 'e2e';

export interface TestFile {
  readonly path: string;
  readonly group: Group;
  /** The text of the file, of which the line `// needs: …` is read. */
  readonly text: string;
}

/** Names of the packages that a test file needs. */
export function packagesOf({ group, text }: Pick<TestFile, 'group' | 'text'>): string[] {
  const named = /^\/\/ needs: (.+)$/m.exec(text)?.[1]?.split(/,\s*/) ?? [];
  return group === 'unit' ? named : ['util-linux', ...named];
}

export interface Machine {
  readonly missing: readonly TestPackage[];
  /** Whether apt-get is here and this is root. */
  readonly mayInstall: boolean;
  /** The value of BINDSTORM_NO_APT; empty, "0" or undefined: not declined. */
  readonly declined: string | undefined;
}

export interface Decision {
  readonly action: 'nothing' | 'install' | 'declined' | 'cannot';
  /** What is said before anything is done. */
  readonly lines: readonly string[];
}

/** What is done about missing packages, and the sentences that say so: which packages, what each is for, and which tests need it. */
export function decide({ missing, mayInstall, declined }: Machine, files: readonly TestFile[]): Decision {
  if (missing.length === 0) return { action: 'nothing', lines: [] };
  const width = Math.max(...missing.map(({ name }) => name.length));
  const table = missing.map(({ name, why }) => {
    const users = files.filter((file) => packagesOf(file).includes(name)).map(({ path }) => shortName(path));
    const shown = users.length > 4 ? [...users.slice(0, 3), `${users.length - 3} more`] : users;
    return `  ${name.padEnd(width)}  ${why}${shown.length > 0 ? `; needed by ${shown.join(', ')}` : ''}`;
  });
  const head = `the tests need Debian packages that are missing here:`;
  if (isDeclined(declined))
    return {
      action: 'declined',
      lines: [
        head,
        ...table,
        `BINDSTORM_NO_APT=${declined}: nothing is installed; the tests that need them are skipped`,
      ],
    };
  if (!mayInstall)
    return {
      action: 'cannot',
      lines: [
        head,
        ...table,
        `they cannot be installed from here (no root, or no apt-get), so the tests that need them will fail. Install them: ${installCommand(missing)}`,
        'or set BINDSTORM_NO_APT=1 to skip these tests',
      ],
    };
  return {
    action: 'install',
    lines: [head, ...table, `installing them: ${installCommand(missing)} (BINDSTORM_NO_APT=1 declines)`],
  };
}

/** The command that installs packages. */
export function installCommand(packages: readonly Pick<TestPackage, 'name'>[]): string {
  return `apt-get install --no-install-recommends ${packages.map(({ name }) => name).join(' ')}`;
}

/** Test files that can run, and those that are skipped because a package was declined, each with the reason. */
export function withoutPackages<F extends TestFile>(
  files: readonly F[],
  missing: readonly Pick<TestPackage, 'name'>[],
): { readonly run: readonly F[]; readonly skipped: readonly string[] } {
  const lacks = (file: F) => packagesOf(file).filter((name) => missing.some((one) => one.name === name));
  return {
    run: files.filter((file) => lacks(file).length === 0),
    skipped: files
      .filter((file) => lacks(file).length > 0)
      .map((file) => `${shortName(file.path)}: needs ${lacks(file).join(', ')}, declined by BINDSTORM_NO_APT`),
  };
}

function isDeclined(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0';
}

/** `…/dist/test/lab/squid.test.js` → `lab/squid.test`. */
function shortName(path: string): string {
  return path.replace(/^.*\/test\//, '').replace(/\.[jt]s$/, '');
}
