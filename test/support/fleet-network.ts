/**
 * Machines in a network of their own, for a fleet: a namespace each, joined by a bridge in one more, the hub. All are gone with the test.
 * Needs root, and ip(8).
 */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { until } from './cli.js';

export interface Machine {
  /** The command that starts another one there. */
  readonly within: readonly string[];
  /** `10.201.N.1`, N from 1. */
  readonly address: string;
  /** Cut its link, or join it again. */
  link(state: 'up' | 'down'): void;
  /** Make its link slow, both ways, and lose packets, both ways. Needs tc(8) and iptables(8). */
  impair(how: { readonly kbit: number; readonly loss: number }): void;
  /** Connections that were begun there so far (RFC 4022, tcpActiveOpens). */
  begun(): number;
}

export interface FleetNetwork {
  readonly hub: Pick<Machine, 'within' | 'address'>;
  readonly machines: readonly Machine[];
}

const HUB = '10.201.0.1';

/** Make a hub and so many machines. */
export async function joinedMachines(t: { after(work: () => void): void }, count: number): Promise<FleetNetwork> {
  const hub = await namespace(t);
  const inHub = (...args: string[]) => run(hub, args);
  inHub('link', 'set', 'lo', 'up');
  inHub('link', 'add', 'br0', 'type', 'bridge');
  inHub('addr', 'add', `${HUB}/16`, 'dev', 'br0');
  inHub('link', 'set', 'br0', 'up');
  const machines: Machine[] = [];
  for (let i = 1; i <= count; i++) {
    const pid = await namespace(t);
    const address = `10.201.${i}.1`;
    inHub('link', 'add', `h${i}`, 'type', 'veth', 'peer', 'name', 'e0', 'netns', String(pid));
    inHub('link', 'set', `h${i}`, 'master', 'br0', 'up');
    run(pid, ['link', 'set', 'lo', 'up']);
    run(pid, ['addr', 'add', `${address}/16`, 'dev', 'e0']);
    run(pid, ['link', 'set', 'e0', 'up']);
    machines.push({
      within: enter(pid),
      address,
      link: (state) => inHub('link', 'set', `h${i}`, state),
      impair({ kbit, loss }) {
        // No netem: a kernel need not have it. A queue that is emptied at a rate delays, and rules of chance lose.
        const slow = ['root', 'tbf', 'rate', `${kbit}kbit`, 'burst', '4kb', 'latency', '3s'];
        execIn(hub, ['tc', 'qdisc', 'add', 'dev', `h${i}`, ...slow]);
        execIn(pid, ['tc', 'qdisc', 'add', 'dev', 'e0', ...slow]);
        const chance = ['-m', 'statistic', '--mode', 'random', '--probability', String(loss), '-j', 'DROP'];
        for (const chain of ['INPUT', 'OUTPUT']) execIn(pid, ['iptables-nft', '-A', chain, ...chance]);
      },
      begun: () => activeOpens(pid),
    });
  }
  return { hub: { within: enter(hub), address: HUB }, machines };
}

/** @returns the number of a process that keeps a new network namespace */
async function namespace(t: { after(work: () => void): void }): Promise<number> {
  const holder = spawn('unshare', ['--net', '--', 'sleep', 'infinity'], { stdio: 'ignore' });
  t.after(() => void holder.kill('SIGKILL'));
  const own = readlinkSync('/proc/self/ns/net');
  await until('a namespace', () => {
    try {
      return readlinkSync(`/proc/${holder.pid}/ns/net`) !== own;
    } catch {
      return false;
    }
  });
  return holder.pid!;
}

function enter(pid: number): string[] {
  return ['nsenter', `--net=/proc/${pid}/ns/net`, '--'];
}

function run(pid: number, args: readonly string[]): void {
  execIn(pid, ['ip', ...args]);
}

function execIn(pid: number, command: readonly string[]): void {
  const [program, ...rest] = [...enter(pid), ...command];
  execFileSync(program!, rest, { stdio: 'pipe' });
}

/** /proc/PID/net is that of the namespace of the process. */
function activeOpens(pid: number): number {
  const [names, values] = readFileSync(`/proc/${pid}/net/snmp`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.split(' '));
  return Number(values![names!.indexOf('ActiveOpens')]);
}
