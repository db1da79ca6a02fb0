/**
 * The hosts on which agents are started by ssh: a line each. Pure.
 */
import { UserError } from '../../domain/error.js';
import { isWord, wordOf } from '../subjects.js';

export interface RemoteHost {
  /** As ssh(1) takes it: `host`, `user@host`, an alias of its configuration, or `ssh://user@host:port`. */
  readonly destination: string;
  /** What reports call the machine. */
  readonly name: string;
}

/** @param path of the file, for messages @throws UserError with the line of what is wrong */
export function parseHosts(text: string, path: string): RemoteHost[] {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  const hosts: RemoteHost[] = [];
  for (const [i, line] of lines.entries()) {
    if (line === '') continue;
    const [destination = '', name = nameOf(destination), ...more] = line.split(/\s+/);
    const problem = problemOf(destination, name, more, hosts);
    if (problem !== null) throw new UserError(`${path}:${i + 1}: ${problem}`);
    hosts.push({ destination, name });
  }
  if (hosts.length === 0)
    throw new UserError(`${path} names no host; write one a line, as ssh takes it: user@host, and a name if you like`);
  return hosts;
}

function problemOf(
  destination: string,
  name: string,
  more: readonly string[],
  before: readonly RemoteHost[],
): string | null {
  if (more.length > 0) return `"${more.join(' ')}" is one word too many; a line has a host and, if you like, a name`;
  // ssh would take it for an option.
  if (destination.startsWith('-')) return `${destination} is not a host; write it as ssh takes it, such as user@host`;
  if (!isWord(name)) return `${name} is not a name of an agent; it takes letters, digits, - and _, up to 64`;
  const same = before.find((host) => host.name === name);
  if (same === undefined) return null;
  return `${destination} and ${same.destination} would both be ${name}; give one of them a name of its own, after a space`;
}

/** The host alone. @example nameOf('ssh://root@web-1.example.org:2222') // 'web-1-example-org' */
function nameOf(destination: string): string {
  const host = destination
    .replace(/^ssh:\/\//, '')
    .replace(/^.*@/, '')
    .replace(/^\[([^\]]*)\].*$/, '$1');
  return wordOf(/:.*:/.test(host) ? host : host.replace(/:\d+$/, ''));
}
