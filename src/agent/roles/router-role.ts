/**
 * The program of the router's role: in a network namespace of its own between the clients' and the origin's, it forwards, translates, and
 * counts what connection tracking does.
 */
import '../../machine/no-debugger.js';
import { setTimeout as wait } from 'node:timers/promises';
import type { Target } from '../../domain/target.js';
import { readConntrackStats, takeConntrackCensus } from '../../kernel/conntrack.js';
import { countersMoved } from '../../kernel/counters.js';
import { EALREADY, EINPROGRESS, EISCONN, errnoName, SystemCallError } from '../../kernel/errno.js';
import * as libc from '../../kernel/libc.js';
import { sockaddrAt, sockaddrTable } from '../../kernel/sockaddr.js';
import { writeSysctl } from '../../kernel/sysctl.js';
import { applyNat, describeNat, servePort } from '../place/nat.js';
import { setUpRouter, translatedTo } from '../place/router-network.js';
import { applySysctls } from '../place/sysctls.js';
import type { RouterProtocol } from './router-protocol.js';
import { serveRole } from './serve.js';

/** Pools that a report has at the most; a NAT with more is told by the fullest. */
const MOST_POOLS = 64;

let before: Record<string, number> = {};
let settings: RouterProtocol['network']['request']['settings'] | undefined;
/** The load's first destination. */
let target: Target | undefined;
let own: readonly [string, ...string[]] = ['0.0.0.0'];

function setUpNetwork(request: RouterProtocol['network']['request']): RouterProtocol['network']['answer'] {
  const { family, clients, originPid } = request;
  settings = request.settings;
  own = translatedTo(settings, family);
  setUpRouter({ family, clients, originPid, own, transparent: settings.rule === 'tproxy' });
  for (const name of ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding']) writeSysctl(name, '1');
  const problem = applyNat(settings, own, clients);
  if (problem !== undefined) return { problem };
  // Conntrack has its sysctls once a rule asks for it, on a kernel that has it as a module.
  const sysctls = applySysctls(request.sysctls);
  servePort(settings, family);
  return { sysctls, rules: describeNat(settings, own) };
}

/** So long its own connections may take, ms, before they count as unanswered: on a busy machine one that has a port may take seconds. */
const OWN_DEADLINE_MS = 5000;
const OWN_LOOK_MS = 50;
const NO_ANSWER = 'no answer';

/** A program of the router's own that connects from the first NAT address, with the ports of the rule, in order. */
function hold(request: { readonly target: Target }): RouterProtocol['hold']['answer'] {
  ({ target } = request);
  const { holds, natPorts } = settings!;
  const remote = sockaddrTable([request.target]);
  for (let i = 0; i < holds; i++) {
    const local = sockaddrTable([{ address: own[0], port: natPorts!.low + i }]);
    const fd = libc.socket(local.family, libc.SOCK_STREAM | libc.SOCK_CLOEXEC, 0);
    if (libc.bind(fd, sockaddrAt(local, 0), local.length) < 0) throw refused('bind', natPorts!.low + i);
    if (libc.connect(fd, sockaddrAt(remote, 0), remote.length) < 0) throw refused('connect', natPorts!.low + i);
  }
  return {};
}

/** A program of the router's own that connects from the first NAT address while the load's connections are there. */
async function tryOwn(): Promise<Record<string, number>> {
  const outcomes: Record<string, number> = {};
  const note = (outcome: string) => {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  };
  const [local, remote] = [sockaddrTable([{ address: own[0], port: 0 }]), sockaddrTable([target!])];
  let open: number[] = [];
  for (let i = 0; i < settings!.tries; i++) {
    const fd = libc.socket(local.family, libc.SOCK_STREAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0);
    if (libc.bind(fd, sockaddrAt(local, 0), local.length) < 0) note(`bind:${errnoName(libc.errno())}`);
    else if (libc.connect(fd, sockaddrAt(remote, 0), remote.length) < 0 && libc.errno() !== EINPROGRESS)
      note(`connect:${errnoName(libc.errno())}`);
    else open.push(fd);
  }
  for (let waited = 0; open.length > 0 && waited < OWN_DEADLINE_MS; waited += OWN_LOOK_MS) {
    await wait(OWN_LOOK_MS);
    // Asked again, a connection that stands says so once, and one that does not yet says EALREADY.
    open = open.filter((fd) => {
      const error = libc.connect(fd, sockaddrAt(remote, 0), remote.length) < 0 ? libc.errno() : 0;
      if (error !== EALREADY) note(error === 0 || error === EISCONN ? 'ok' : `connect:${errnoName(error)}`);
      return error === EALREADY;
    });
  }
  for (const _ of open) note(NO_ANSWER);
  return outcomes;
}

function refused(call: string, port: number): Error {
  return new Error(`the router's own program: ${call}() with port ${port}: ${errnoName(libc.errno())}`);
}

async function collect(): Promise<RouterProtocol['collect']['answer']> {
  const { pools, ...census } = takeConntrackCensus();
  const counters = countersMoved(readConntrackStats(), before);
  const tried = settings!.tries > 0 ? { tried: await tryOwn() } : {};
  return {
    ...census,
    ...tried,
    counters,
    pools: pools.slice(0, MOST_POOLS).map(({ address, protocol, destination, entries, low, high }) => ({
      address,
      protocol,
      to: destination,
      entries,
      low,
      high,
    })),
  };
}

function begin(): RouterProtocol['begin']['answer'] {
  try {
    before = readConntrackStats();
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    throw new Error(`the router cannot read its counters: ${error.message}`);
  }
  return {};
}

void serveRole<RouterProtocol>({ network: setUpNetwork, hold, begin, collect });
