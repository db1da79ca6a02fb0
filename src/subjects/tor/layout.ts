/**
 * A private Tor network on paper: which processes it has, where they stand, and their torrc. Two places: the exits in the namespace
 * under test, all others in that of the clients, so that the ports of the one are taken by nothing but exit streams and the few
 * connections of a relay to its authority. Pure.
 */
import type { Target } from '../../domain/target.js';
import type { ProxySetup } from '../subject.js';

/** Ports of the network's own, in the namespace of the clients but for those of the exits. */
const AUTHORITY_OR_PORT = 5000;
const AUTHORITY_DIR_PORT = 7000;
const MIDDLE_OR_PORT = 5001;
const FIRST_EXIT_OR_PORT = 5010;
/** Where a stream on trial goes to, beside the exits: below every ephemeral range. */
export const TRIAL_PORT = 7;

type NodeKind = 'authority' | 'middle' | 'exit' | 'client';

export interface TorNode {
  readonly kind: NodeKind;
  /** Its nickname, and the name of its folder. */
  readonly name: string;
  /** Of an exit: its outgoing address. */
  readonly outgoing?: string;
  /** Where it listens for other relays; a client does not. */
  readonly orPort?: string;
}

export interface TorLayout {
  readonly directory: string;
  readonly nodes: readonly TorNode[];
  readonly authority: TorNode;
  readonly middle: TorNode;
  readonly client: TorNode;
  /** One for each outgoing address, in their order. */
  readonly exits: readonly TorNode[];
  /** Where clients find it: address and port. */
  readonly socks: string;
  /** The address of the exits, on which a stream on trial can end. */
  readonly exitAddress: string;
  /** `ADDRESS:PORT` of the authority's directory. */
  readonly dirPort: string;
}

/** The ports that nothing else in the clients' namespace may be given. */
export function portsBesideClients({ port }: Target): number[] {
  return [AUTHORITY_OR_PORT, MIDDLE_OR_PORT, AUTHORITY_DIR_PORT, port].sort((a, b) => a - b);
}

/**
 * One authority, one middle relay, an exit for each outgoing address (a Tor has one OutboundBindAddressExit), one client.
 * @param setup its `listen` is the SOCKS port, in the clients' namespace, where the other nodes are too
 * @param exitAddress the address of the exits for other relays
 */
export function torLayout(setup: ProxySetup, exitAddress: string): TorLayout {
  const [{ address, port }] = setup.listen;
  const authority: TorNode = { kind: 'authority', name: 'auth1', orPort: `${address}:${AUTHORITY_OR_PORT}` };
  const middle: TorNode = { kind: 'middle', name: 'mid1', orPort: `${address}:${MIDDLE_OR_PORT}` };
  const client: TorNode = { kind: 'client', name: 'client' };
  const exits = setup.outgoing.map(
    (outgoing, i): TorNode => ({
      kind: 'exit',
      name: `exit${i + 1}`,
      outgoing,
      orPort: `${exitAddress}:${FIRST_EXIT_OR_PORT + i}`,
    }),
  );
  return {
    directory: setup.directory,
    nodes: [authority, middle, ...exits, client],
    authority,
    middle,
    client,
    exits,
    socks: `${address}:${port}`,
    exitAddress,
    dirPort: `${address}:${AUTHORITY_DIR_PORT}`,
  };
}

/** Whether it is in the namespace of the clients; the exits are in that of the role. */
export function isInClientsNamespace({ kind }: TorNode): boolean {
  return kind !== 'exit';
}

/** What the nodes must know of each other. */
export interface NetworkIdentity {
  /** Fingerprint of the authority's certificate (v3ident). */
  readonly v3ident: string;
  /** Fingerprints of relays by nickname, without spaces. */
  readonly fingerprints: Readonly<Record<string, string>>;
}

/** When the authority votes, in seconds. */
export interface VotingTimes {
  /** Of the first votes, which divides half an hour. */
  readonly interval: number;
  /** Votes are due when the clock, modulo the interval, is this. */
  readonly offset: number;
}

/**
 * The first vote must come when every relay has uploaded its descriptor, one to two seconds after its start: a consensus that lacks
 * one is followed by no other for a day.
 * @param now seconds since the epoch
 * @param attempt from 0 on; each gives the relays twice the time of the one before
 */
export function votingTimes(now: number, attempt: number): VotingTimes {
  const interval = 6 * 2 ** attempt;
  // The boundary before that one is past when Tor starts.
  return { interval, offset: Math.ceil(now + interval - 1) % interval };
}

/** The text of a node's torrc. @param extra lines for exits */
export function torrcOf(
  node: TorNode,
  layout: TorLayout,
  { v3ident, fingerprints }: NetworkIdentity,
  times: VotingTimes,
  extra: readonly string[],
): string {
  const folder = `${layout.directory}/${node.name}`;
  const { authority } = layout;
  const orPortOfAuthority = authority.orPort!.split(':')[1];
  return `${[
    'TestingTorNetwork 1',
    'AssumeReachable 1',
    'PathsNeededToBuildCircuits 0.25',
    'TestingDirAuthVoteExit *',
    'TestingDirAuthVoteGuard *',
    'TestingMinExitFlagThreshold 0',
    'V3AuthNIntervalsValid 30',
    `DataDirectory ${folder}`,
    'ShutdownWaitLength 0',
    'SafeLogging 0',
    'ProtocolWarnings 1',
    'LogTimeGranularity 1',
    `Log notice file ${folder}/${NOTICE_LOG}`,
    'RunAsDaemon 0',
    `ControlSocket ${folder}/control`,
    'CookieAuthentication 0',
    // No dependence on files and resolvers of this machine.
    'GeoIPFile /dev/null',
    'GeoIPv6File /dev/null',
    'NumCPUs 1',
    // The only authority that it knows: without this line Tor would have those of the public network.
    `DirAuthority ${authority.name} orport=${orPortOfAuthority} no-v2 v3ident=${v3ident} ${layout.dirPort} ${fingerprints[authority.name]}`,
    ...(node.kind === 'client' ? clientLines(layout, folder) : relayLines(node, folder)),
    ...(node.kind === 'authority' ? authorityLines(layout, times) : []),
    ...(node.kind === 'middle' ? ['DirCache 0', 'ExitRelay 0', 'ExitPolicy reject *:*'] : []),
    ...(node.kind === 'exit' ? [...exitLines(node), ...extra] : []),
  ].join('\n')}\n`;
}

export const NOTICE_LOG = 'notice.log';
/** A resolver that is not there: exits here are asked for addresses only. */
export const RESOLVER_FILE = 'resolv.conf';
export const RESOLVER_TEXT = 'nameserver 127.0.0.1\n';

function relayLines({ name, orPort }: TorNode, folder: string): string[] {
  return [
    `Nickname ${name}`,
    `Address ${orPort!.split(':')[0]}`,
    `ORPort ${orPort} IPv4Only`,
    'SocksPort 0',
    'ContactInfo nobody@test.invalid',
    'RefuseUnknownExits 0',
    `ServerDNSResolvConfFile ${folder}/${RESOLVER_FILE}`,
    'ServerDNSAllowBrokenConfig 1',
    'ServerDNSDetectHijacking 0',
    'ServerDNSTestAddresses',
    '__DisablePredictedCircuits 1',
  ];
}

function authorityLines({ dirPort }: TorLayout, { interval, offset }: VotingTimes): string[] {
  return [
    `DirPort ${dirPort}`,
    'AuthoritativeDirectory 1',
    'V3AuthoritativeDirectory 1',
    // The first consensus is valid for thirty intervals, so that a cached network needs no other.
    'V3AuthVotingInterval 86400',
    'V3AuthVoteDelay 2',
    'V3AuthDistDelay 2',
    `TestingV3AuthInitialVotingInterval ${interval}`,
    'TestingV3AuthInitialVoteDelay 2',
    'TestingV3AuthInitialDistDelay 2',
    'AuthDirTestReachability 0',
    // All exits have one address.
    'AuthDirMaxServersPerAddr 0',
    `TestingV3AuthVotingStartOffset ${offset}`,
    'ExitPolicy reject *:*',
  ];
}

function exitLines({ outgoing }: TorNode): string[] {
  return [
    'DirCache 0',
    'ExitRelay 1',
    'ExitPolicyRejectPrivate 0',
    'ExitPolicyRejectLocalInterfaces 0',
    'ExitPolicy accept *:*',
    `OutboundBindAddressExit ${outgoing}`,
  ];
}

/** All streams to an exit share a circuit, whoever they are from. */
const ISOLATION = 'SessionGroup=0 NoIsolateClientAddr NoIsolateSOCKSAuth NoIsolateClientProtocol';

function clientLines({ socks }: TorLayout, folder: string): string[] {
  return [
    'ClientOnly 1',
    `SocksPort ${socks} ${ISOLATION}`,
    // For streams on trial, which must not look like those of the load.
    `SocksPort unix:${folder}/socks ${ISOLATION}`,
    'UseEntryGuards 0',
    'LearnCircuitBuildTimeout 0',
    'CircuitBuildTimeout 30',
    // A client marks an exit that had no port for it as useless until it ends. Streams that somebody else attaches escape that.
    '__LeaveStreamsUnattached 1',
    'CircuitStreamTimeout 120',
    'SocksTimeout 120',
    'MaxCircuitDirtiness 86400',
  ];
}
