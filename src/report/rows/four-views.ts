/**
 * One failure from its four sides: the client, the proxy's log, the kernel's answers to the proxy's calls, and the ports in use at that
 * moment. All four are of one run, the observed one, so that the numbers may be held against each other. Pure.
 */
import { isFailure, isPortShortage } from '../../domain/outcome.js';
import { totalOf } from '../../load/outcome.js';
import type { Results, Run, Variant } from '../../results/schema.js';
import { formatNumber, plural } from '../format.js';
import type { Counted } from './medians.js';
import { failureName, refusedCalls } from './proxy.js';

export interface ViewRow {
  readonly name: string;
  /** Outcomes that are failures; empty: none. */
  readonly client: readonly Counted[];
  /** Failures in the log, as `bind EADDRINUSE`. */
  readonly log: readonly Counted[];
  /** Refused calls, as `bind EADDRINUSE`; null: not observed. */
  readonly kernel: readonly Counted[] | null;
  /** How the calls were counted; null: not observed. */
  readonly by: string | null;
  /** The processes whose calls were refused. */
  readonly pids: readonly number[];
  readonly ports: PortsAtPeak | null;
  /** What the numbers come to, and why they differ where they do. */
  readonly sentences: readonly string[];
}

export interface PortsAtPeak {
  /** Seconds since the load began. */
  readonly t: number;
  readonly inUse: number;
  /** Ports of one address × addresses. */
  readonly room: number;
  readonly each: number;
  readonly addresses: number;
  /** Addresses of which every port was in use. */
  readonly full: number;
  readonly timeWait: number;
}

/** One row for each arm that was observed, or was tried to be. */
export function viewRows({ variants }: Results): ViewRow[] {
  return variants.flatMap((variant) => (variant.observed ? [rowOf(variant, variant.observed)] : []));
}

function rowOf(variant: Variant, run: Run): ViewRow {
  const client = Object.entries(run.outcomes)
    .filter(([outcome]) => isFailure(outcome))
    .sort(([, m], [, n]) => n - m);
  const log = (run.proxy?.failures ?? []).map(({ call, errno, count }): Counted => [failureName(call, errno), count]);
  const { syscalls } = run.proxy ?? {};
  const ports = portsAtPeak(variant, run);
  const failed = totalOf(Object.fromEntries(client));
  const kernel = syscalls ? refusedCalls(syscalls.failures) : null;
  const forPorts = kernel?.filter(([call]) => isPortShortage(call.replace(' ', ':'))) ?? null;
  const sums = { failed, logged: sum(log), refused: forPorts && sum(forPorts) };
  return {
    name: variant.name,
    client,
    log,
    kernel,
    by: syscalls?.by ?? null,
    pids: [...new Set(syscalls?.failures.map(({ pid }) => pid))],
    ports,
    sentences:
      run.status === 'ok'
        ? [
            whyTheyDiffer(sums, run),
            ...(kernel && forPorts && kernel.length > forPorts.length ? [OTHERS_REFUSED] : []),
            ...portSentence(ports, failed),
          ]
        : [notObserved(run)],
  };
}

/** A program may be refused other calls too, as where it tries whether there is IPv6. */
const OTHERS_REFUSED = 'Calls refused with another errno have another cause and are not counted here.';

function sum(counted: readonly Counted[]): number {
  return counted.reduce((total, [, count]) => total + count, 0);
}

/** The sample with the most ports in use. */
function portsAtPeak(variant: Variant, { timeline, ports }: Run): PortsAtPeak | null {
  let peak: Run['timeline'][number] | undefined;
  for (const second of timeline) if ((second.portsInUse ?? -1) > (peak?.portsInUse ?? -1)) peak = second;
  if (!peak || peak.portsInUse === null) return null;
  const each = ports.high - ports.low + 1 - ports.reserved;
  const addresses = variant.addresses.count;
  return {
    t: peak.t,
    inUse: peak.portsInUse,
    room: each * addresses,
    each,
    addresses,
    full: (peak.portsPerAddress ?? []).filter((n) => n >= each).length,
    timeWait: (peak.timeWaitPerAddress ?? []).reduce((total, n) => total + n, 0),
  };
}

interface Sums {
  /** Requests that failed. */
  readonly failed: number;
  /** Lines of the log that tell of a failure. */
  readonly logged: number;
  /** Calls that the kernel refused for want of a port; null: not observed. */
  readonly refused: number | null;
}

/** What the three counts say of each other, in one or two sentences. */
export function whyTheyDiffer({ failed, logged, refused }: Sums, run?: Pick<Run, 'proxy'>): string {
  const requests = `${plural(failed, 'failed request')}`;
  const lines = `${plural(logged, 'line')} in the log`;
  if (refused === null) {
    const why = run?.proxy?.unobserved;
    return `The kernel's side was not observed${why ? `: ${why}` : ''}. ${requests}, ${lines}.`;
  }
  const calls = plural(refused, 'refused call');
  if (failed === 0 && refused === 0 && logged === 0) return 'Nothing failed on any side.';
  if (failed === refused && logged === refused)
    return `${requests}, ${calls}, ${lines}: each refused call cost one request and made one line.`;
  const parts = [`${requests}, ${calls}, ${lines}`];
  if (refused === 0 && failed > 0)
    parts.push('the kernel refused no call, so the proxy gave up before it asked, or the requests failed elsewhere');
  else if (refused > failed)
    parts.push(
      'more calls were refused than requests failed, as where a proxy tries again or a name has several addresses',
    );
  else if (refused < failed) parts.push('some requests failed for a reason other than a refused call');
  if (logged === 0 && refused > 0) parts.push('this program logs no line for a refused call');
  else if (logged > refused) parts.push('one failure makes several lines, so lines are not failures');
  else if (logged < refused) parts.push('not every refused call makes a line, so lines are not failures');
  return `${parts.join('; ')}.`;
}

function portSentence(ports: PortsAtPeak | null, failed: number): string[] {
  if (!ports || failed === 0) return [];
  const { inUse, room, each, addresses, full } = ports;
  const product = `${formatNumber(each)} × ${formatNumber(addresses)} = ${formatNumber(room)}`;
  if (inUse >= room) return [`Every port was in use: ${product}.`];
  return [
    `${formatNumber(inUse)} of ${product} ports were in use at most, and ${formatNumber(full)} of ${plural(addresses, 'address')} had none left.`,
  ];
}

function notObserved({ status, problems }: Run): string {
  return `Not observed, because the run ${status === 'failed' ? 'failed' : 'was interrupted'}${problems[0] ? `: ${problems[0]}` : ''}.`;
}
