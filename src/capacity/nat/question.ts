/**
 * A NAT described in a few numbers, and what the arithmetic says of it: `bindstorm capacity --nat`. Pure.
 */
import type { Transport } from '../../domain/protocol.js';
import { type PortRange, portCount } from '../../domain/units.js';
import { atLeast, type KernelVersion } from '../kernel-version.js';
import { EVICTS_SINCE, openAtMost } from './after-close.js';
import { CLOUD_NATS, type CloudNat, type NatKind } from './clouds.js';
import { type DropCurve, dropCurve } from './drop-curve.js';
import { WHOLE } from './port-search.js';
import { UNNAMED } from './unnamed.js';

export interface NatQuestion {
  readonly kind: NatKind;
  readonly protocol: Transport;
  readonly kernel: KernelVersion;
  /** NAT addresses, as far as connections are spread over them. */
  readonly addresses: number;
  /** Pairs of address and port that are connected to. */
  readonly destinations: number;
  /** Clients behind it. */
  readonly hosts: number;
  /** Of the rule; null: none is named. */
  readonly range: PortRange | null;
  /** New connections a second of all clients together; null: not asked. */
  readonly rate: number | null;
  readonly holdMs: number;
  /** Of UDP nobody closes. */
  readonly close: 'client' | 'server' | 'reset';
}

export interface NatAnswer {
  readonly kind: NatKind;
  readonly name: string;
  /** Published by a vendor, and measured by nobody here. */
  readonly onPaper: boolean;
  /** Of one NAT address or VM, towards one destination. */
  readonly ports: number;
  readonly each: CloudNat['each'];
  /** Connections at once. */
  readonly concurrent: number;
  /** Sustained connections a second; null: ports do not limit it, or the vendor does not say. */
  readonly sustained: number | null;
  /** Seconds that a port is kept after the close, of UDP after the last datagram; null: not published. */
  readonly after: number | null;
  /** Seconds after which a connection that nothing passes through is forgotten: so long the port of one is kept whose ends are gone. */
  readonly idle: number;
  readonly idleNote: string;
  readonly formula: string;
  readonly rule: string;
  readonly shows: string;
  readonly notes: readonly string[];
  readonly source: string;
  /** Linux: how full it is when the first SYN is dropped; null: a range that small is searched whole, or a cloud does not say. */
  readonly drops: Pick<DropCurve, 'first' | 'bands'> | null;
  /** Whether the rate that was asked for lasts, and the NAT addresses (of a cloud: or VMs) that it needs; null: not asked, or not known. */
  readonly atRate: { readonly holds: boolean; readonly needed: number } | null;
}

/** Simulated connections of all runs together, so that an answer takes about a second. */
const SIMULATED = 1_500_000;
const MOST_RUNS = 100;
const SEED = 1;

/** What a NAT holds and sustains. */
export function natCapacityOf(question: NatQuestion): NatAnswer {
  return question.kind === 'linux' ? ofLinux(question) : ofCloud(question, CLOUD_NATS[question.kind]);
}

/** nf_conntrack_udp_timeout, and nf_conntrack_tcp_timeout_established (net/netfilter/nf_conntrack_proto_udp.c, _tcp.c). */
const LINUX_IDLE = { udp: 30, tcp: 432_000 };

function ofLinux(question: NatQuestion): NatAnswer {
  const { kernel, protocol, range, close, addresses, destinations } = question;
  const ports = portCount(range ?? UNNAMED);
  const isUdp = protocol === 'udp';
  const evicts = !isUdp && atLeast(kernel, EVICTS_SINCE);
  const kept = isUdp ? LINUX_IDLE.udp : close === 'reset' ? 10 : 120;
  const state = close === 'reset' ? 'CLOSE' : 'TIME_WAIT';
  const answer: Rest = {
    kind: 'linux',
    name: `NAT of Linux ${kernel.release}`,
    onPaper: false,
    ports,
    each: 'NAT address',
    after: evicts ? 0 : kept,
    idle: LINUX_IDLE[protocol],
    idleNote: isUdp
      ? 'nf_conntrack_udp_timeout; an exchange of more than 2 s has nf_conntrack_udp_timeout_stream, 120 s'
      : 'nf_conntrack_tcp_timeout_established, five days; a keepalive shorter than that of a NAT before it keeps it alive there too',
    rule: `a port serves once for each NAT address and destination; ip_local_port_range of the router has no say${range ? '' : '; without ports in the rule they are 1024 to 65535'}. ${
      isUdp
        ? `After the last datagram conntrack keeps the entry for ${kept} s, whatever becomes of the socket, and ends none for another`
        : `After the close conntrack keeps the entry for ${kept} s (${state})${evicts ? ', and ends it for a new connection that finds no free port' : ''}`
    }`,
    shows: `insert_failed and drop of conntrack -S; clients get no errno, and ${isUdp ? 'no answer' : 'send their SYN again after 1, 2, 3 … s'}`,
    notes: [
      ...(addresses > 1
        ? [
            'one rule with several addresses gives one client one of them to a destination: they count only where a rule for each takes turns (numgen, jhash, -m statistic), or many clients spread over them',
          ]
        : []),
      ...(destinations > 1 ? [] : ['a second port or address of the destination has ports of its own']),
    ],
    source: 'get_unique_tuple(), net/netfilter/nf_nat_core.c; measured on 6.18.44',
    drops:
      ports <= WHOLE ? null : dropCurve(ports, Math.max(3, Math.min(MOST_RUNS, Math.floor(SIMULATED / ports))), SEED),
  };
  return finish(question, answer, evicts ? openAtMost(ports) : ports);
}

function ofCloud(question: NatQuestion, cloud: CloudNat): NatAnswer {
  const { protocol, range, close } = question;
  const idle = cloud.idle[protocol];
  const after = protocol === 'udp' ? idle : cloud.after && (close === 'reset' ? cloud.after.reset : cloud.after.fin);
  return finish(question, {
    kind: question.kind,
    name: cloud.name,
    onPaper: true,
    ports: range ? portCount(range) : cloud.ports,
    each: cloud.each,
    after,
    idle,
    idleNote: cloud.idleNote[protocol],
    rule: `by what its vendor publishes: each ${cloud.each} has so many ports to one destination${after === null ? '' : `, and a port is kept for ${after} s after the ${protocol === 'udp' ? 'last datagram' : 'close'}`}`,
    shows: cloud.shows,
    notes: [
      ...cloud.notes,
      ...(cloud.mostAddresses !== null && question.addresses > cloud.mostAddresses
        ? [`one gateway has at most ${cloud.mostAddresses} addresses, and ${question.addresses} were asked about`]
        : []),
    ],
    source: `${cloud.source}, on paper: nothing of it was measured, and that page says what holds today`,
    drops: null,
  });
}

type Rest = Omit<NatAnswer, 'concurrent' | 'sustained' | 'formula' | 'atRate'>;

/** @param open ports of which connections may be open at a rate that lasts, while closed ones hold the others */
function finish(
  { addresses, destinations, hosts, holdMs, rate }: NatQuestion,
  rest: Rest,
  open: number = rest.ports,
): NatAnswer {
  const { ports, each, after } = rest;
  const owners = each === 'VM' ? hosts : addresses;
  const concurrent = ports * owners * destinations;
  const seconds = after === null ? null : holdMs / 1000 + after;
  const lasting = open * owners * destinations;
  const sustained = seconds === null || seconds === 0 ? null : lasting / seconds;
  const perOwner = sustained === null ? null : sustained / owners;
  const factor = `${each === 'VM' ? 'VMs' : 'NAT addresses'}`;
  return {
    ...rest,
    concurrent,
    sustained,
    formula: `ports · ${factor} · destinations = ${ports} · ${owners} · ${destinations} = ${concurrent}${sustained === null ? '' : `; ${lasting}${lasting < concurrent ? ' open, so that there are closed ones to end,' : ''} / ${seconds} s = ${Number(sustained.toPrecision(3))} a second`}`,
    atRate:
      rate === null || sustained === null || perOwner === null
        ? null
        : { holds: rate <= sustained, needed: Math.ceil(rate / perOwner - 1e-9) },
  };
}
