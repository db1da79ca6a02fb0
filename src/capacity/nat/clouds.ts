/**
 * NAT services of clouds, on paper: what their vendors publish, and nothing that was measured here. Pure data. The ports, the addresses of
 * AWS and Azure were looked up in stored copies of those pages (2026-11); the timers and the names of metrics were not.
 */

export interface CloudNat {
  readonly name: string;
  /** Ports of one NAT address, or of one VM, towards one destination. */
  readonly ports: number;
  /** Whose ports these are. */
  readonly each: 'NAT address' | 'VM';
  /** NAT addresses of one gateway at the most. */
  readonly mostAddresses: number | null;
  /** Seconds that a port is kept after the close, by who closed; null: the vendor does not say. */
  readonly after: { readonly fin: number; readonly reset: number } | null;
  /** How a full one shows. */
  readonly shows: string;
  /** What a reader must know beside. */
  readonly notes: readonly string[];
  readonly source: string;
}

export const CLOUD_NATS = {
  aws: {
    name: 'AWS NAT gateway',
    ports: 55_000,
    each: 'NAT address',
    mostAddresses: 8,
    after: null,
    shows: 'the metric ErrorPortAllocation of CloudWatch; clients see connection timeouts',
    notes: [
      'a destination is an address, a port and a protocol',
      'a connection that is idle for 350 s is forgotten, and the next packet of the client is answered with a RST',
      'how long a port is kept after the close is not published, so no sustained rate can be told',
    ],
    source: 'https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html',
  },
  gcp: {
    name: 'Google Cloud NAT',
    ports: 64,
    each: 'VM',
    mostAddresses: null,
    after: { fin: 120, reset: 30 },
    shows:
      'the metric nat/dropped_sent_packets_count with the reason OUT_OF_RESOURCES; logs with allocation_status DROPPED',
    notes: [
      '64 is the default of static allocation; --range PORTS says another number, for example --range 1024-2047 for 1,024',
      'a NAT address has 64,512 ports of TCP and as many of UDP, which the VMs share',
      'with endpoint-independent mapping a port of a VM serves one connection, whatever the destination',
      'the TIME_WAIT of 120 s is a setting of the gateway (tcp_time_wait_timeout)',
    ],
    source: 'https://cloud.google.com/nat/docs/ports-and-addresses',
  },
  azure: {
    name: 'Azure NAT Gateway',
    ports: 50_000,
    each: 'NAT address',
    mostAddresses: 16,
    after: { fin: 65, reset: 16 },
    shows: 'the metric SNAT Connection Count with the state Failed; clients see connection timeouts',
    notes: [
      'a NAT address has 64,512 ports; to one destination at most 50,000 connections of it are supported',
      'a port is held back from the same destination after the close: 65 s after a FIN, 16 s after a RST',
      'outbound rules of a load balancer, and App Service without a NAT gateway, have far fewer ports',
    ],
    source: 'https://learn.microsoft.com/azure/nat-gateway/nat-gateway-resource',
  },
} as const satisfies Readonly<Record<string, CloudNat>>;

export type CloudName = keyof typeof CLOUD_NATS;

/** What `capacity --nat` can be asked of. */
export const NAT_KINDS = ['linux', 'aws', 'gcp', 'azure'] as const satisfies readonly ('linux' | CloudName)[];
export type NatKind = (typeof NAT_KINDS)[number];
