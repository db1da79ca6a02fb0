/**
 * What `vagrant --machine-readable` prints: `timestamp,target,type,data…`, one message a line. Commas in data are written as
 * `%!(VAGRANT_COMMA)`, line ends as `\n` and `\r` (developer.hashicorp.com/vagrant/docs/cli/machine-readable). Pure.
 */

export interface Message {
  /** The machine that it is about; empty for none. */
  readonly target: string;
  readonly type: string;
  readonly data: readonly string[];
}

/** The messages of an output. Lines that are none, as of a program that Vagrant runs, are left out. */
export function parseMessages(output: string): Message[] {
  return output.split('\n').flatMap((line) => {
    const [timestamp = '', target, type, ...data] = line.replace(/\r$/, '').split(',');
    if (!/^\d+$/.test(timestamp) || target === undefined || type === undefined) return [];
    return [{ target, type, data: data.map(unescaped) }];
  });
}

function unescaped(text: string): string {
  return text.replaceAll('%!(VAGRANT_COMMA)', ',').replaceAll('\\n', '\n').replaceAll('\\r', '');
}

export interface MachineStatus {
  /** Such as not_created, running, shutoff. */
  readonly state: string;
  /** Such as libvirt, virtualbox. */
  readonly provider: string;
}

/** The state of a machine from the messages of `vagrant status`; undefined when they do not have it. */
export function statusOf(messages: readonly Message[], machine: string): MachineStatus | undefined {
  const about = (wanted: string) => messages.find(({ target, type }) => target === machine && type === wanted)?.data[0];
  const [state, provider] = [about('state'), about('provider-name')];
  return state === undefined ? undefined : { state, provider: provider ?? 'an unknown provider' };
}

/** The names of all machines in the messages of `vagrant status`. */
export function machinesOf(messages: readonly Message[]): string[] {
  return messages.filter(({ type }) => type === 'state').map(({ target }) => target);
}

/** Vagrant's own sentence about why it gave up, on one line; undefined when there is none. */
export function errorOf(messages: readonly Message[]): string | undefined {
  const exit = messages.findLast(({ type }) => type === 'error-exit')?.data[1];
  const shown = messages.findLast(({ type, data }) => type === 'ui' && data[0] === 'error')?.data[1];
  return (exit ?? shown)?.replace(/\s+/g, ' ').trim();
}
