/**
 * What `vagrant ssh-config` prints, an ssh_config(5) with one host, as options for ssh(1). Pure.
 */

export interface SshTarget {
  /** The name of the host; its address is among the options. */
  readonly host: string;
  /** Each a line of ssh_config(5), such as `HostName 192.168.121.7`, with its quotes. */
  readonly options: readonly string[];
}

/** @returns undefined when the text does not have exactly one host with an address */
export function parseSshConfig(text: string): SshTarget | undefined {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const [first, ...options] = lines;
  const host = /^Host\s+(\S+)$/i.exec(first ?? '')?.[1];
  if (host === undefined || options.some((line) => /^(?:Host|Match)\s/i.test(line))) return undefined;
  return options.some((line) => /^HostName\s+\S/i.test(line)) ? { host, options } : undefined;
}

/** Of two values of an option ssh takes the first: ours go before those of Vagrant, which silence every error. */
const OURS = [
  'BatchMode yes',
  'LogLevel ERROR',
  'ConnectTimeout 60',
  // One a second. A machine that has just gone back to a snapshot may be unreachable for some seconds.
  'ConnectionAttempts 20',
  // A machine that does not answer for two minutes is gone, or stuck.
  'ServerAliveInterval 15',
  'ServerAliveCountMax 8',
];

/** The command line that runs a command there; its standard streams are the command's. */
export function sshCommand({ host, options }: SshTarget, command: string): string[] {
  // The user's own configuration must not change the meaning of it.
  return [
    'ssh',
    '-F',
    '/dev/null',
    '-T',
    ...[...OURS, ...options].flatMap((line) => ['-o', line]),
    '--',
    host,
    command,
  ];
}
