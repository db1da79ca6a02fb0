/**
 * NAT services of clouds, on paper: what their vendors publish, and nothing that was measured here. Pure data. The ports, the addresses of
 * AWS and Azure, and the timers were looked up in stored copies of those pages (2026-11); the names of metrics were not.
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
  /** Seconds that a port is kept for a connection that nothing passes through, and after the last datagram of UDP. */
  readonly idle: { readonly tcp: number; readonly udp: number };
  /** What then becomes of it, or how it can be changed: a clause without a full stop. */
  readonly idleNote: { readonly tcp: string; readonly udp: string };
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
    idle: { tcp: 350, udp: 350 },
    idleNote: {
      tcp: 'the next packet of the client is answered with a RST, and no FIN is sent; it cannot be changed',
      udp: 'it cannot be changed',
    },
    shows: 'the metric ErrorPortAllocation of CloudWatch; clients see connection timeouts',
    notes: [
      'a destination is an address, a port and a protocol',
      'how long a port is kept after the close of TCP is not published, so no sustained rate can be told',
    ],
    source: 'https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html',
  },
  gcp: {
    name: 'Google Cloud NAT',
    ports: 64,
    each: 'VM',
    mostAddresses: null,
    after: { fin: 120, reset: 30 },
    idle: { tcp: 1200, udp: 30 },
    idleNote: {
      tcp: 'it is a setting of the gateway (tcp_established_idle_timeout)',
      udp: 'it is a setting of the gateway (udp_idle_timeout)',
    },
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
    idle: { tcp: 240, udp: 240 },
    idleNote: {
      tcp: 'it is a setting of the gateway, up to 120 minutes (idleTimeoutInMinutes)',
      udp: 'it cannot be changed',
    },
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
