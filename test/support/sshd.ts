/**
 * Machines that are reached by ssh: Debian's sshd in a namespace each, with keys that are thrown away.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../src/machine/programs.js';
import { type RunningCli, startCli, until } from './cli.js';
import type { FleetNetwork } from './fleet-network.js';

export interface Reachable {
  /** A configuration of ssh, for `ssh -F`. */
  readonly config: string;
}

/** Start sshd on machines, each at its address. All end with the test. Needs root. */
export async function startSshd(
  t: { after(work: () => unknown): void },
  folder: string,
  machines: FleetNetwork['machines'],
): Promise<Reachable> {
  for (const name of ['host', 'user'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
  // sshd(8): of root alone, and there before it starts.
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const own = (name: string) => join(folder, name);
  writeFileSync(own('authorized'), readFileSync(own('user.pub'), 'utf8'));
  writeFileSync(
    own('sshd_config'),
    [
      `HostKey ${own('host')}`,
      `AuthorizedKeysFile ${own('authorized')}`,
      ...['StrictModes no', 'UsePAM no', 'PasswordAuthentication no', 'PermitRootLogin prohibit-password'],
      ...['PidFile none', 'MaxStartups 100', ''],
    ].join('\n'),
  );
  writeFileSync(
    own('ssh_config'),
    [
      'Host *',
      `  IdentityFile ${own('user')}`,
      ...['  IdentitiesOnly yes', '  User root', '  StrictHostKeyChecking no', '  UserKnownHostsFile /dev/null', ''],
    ].join('\n'),
  );
  const started: RunningCli[] = [];
  t.after(async () => {
    for (const sshd of started) sshd.kill('SIGKILL');
    await Promise.all(started.map(({ ended }) => ended));
  });
  for (const { within, address } of machines) {
    // It starts itself anew for each connection, by its path.
    const program = [findProgram('sshd')!, '-D', '-e', '-f', own('sshd_config')];
    const sshd = startCli(['-o', `ListenAddress=${address}`], { cwd: folder, within, program, deadlineMs: 900_000 });
    started.push(sshd);
    await until('sshd', () => sshd.stderr().includes('Server listening'));
  }
  return { config: own('ssh_config') };
}
