/**
 * The lab's own addresses, by family. Profiles may use none of them. Pure.
 */

interface Addresses {
  readonly client: string;
  readonly origin: string;
  readonly linkPrefix: number;
  readonly hostPrefix: number;
  readonly any: string;
  /** Where the origin's addresses begin, and the route to them. */
  readonly originNet: string;
  readonly originNetPrefix: number;
  readonly originAddress: (i: number) => string;
  /** The link before a proxy, and where its clients' addresses begin. */
  readonly toProxy: string;
  readonly toClients: string;
  /** A proxy's further listeners. */
  readonly proxyNet: string;
  readonly proxyNetPrefix: number;
  readonly proxyListener: (i: number) => string;
  readonly clientNet: string;
  readonly clientNetPrefix: number;
  readonly clientAddress: (i: number) => string;
  /** Of neighbours that have none of their own. */
  readonly neighbourAddress: (i: number) => string;
  /** The first of those that a router's rule names. */
  readonly natAddress: string;
  /** Of a program with an internet that has none of this family. */
  readonly programAddress: string;
  /** Of the i-th name that is looked up. */
  readonly namedAddress: (i: number) => string;
}

/**
 * IPv4: RFC 2544's benchmarking net 198.18.0.0/15. IPv6: a unique local prefix (RFC 4193); for names, and for who connects to them, RFC 5180's
 * benchmarking net 2001:2::/48, since programs prefer IPv4 to unique local addresses (RFC 6724 §2.1). Profiles may not use any of them.
 */
export const LAB_ADDRESSES: Record<4 | 6, Addresses> = {
  4: {
    client: '198.18.0.1',
    origin: '198.18.0.2',
    linkPrefix: 30,
    hostPrefix: 32,
    any: '0.0.0.0',
    originNet: '198.19.0.0',
    originNetPrefix: 16,
    originAddress: (i) => `198.19.${(i + 1) >> 8}.${(i + 1) & 255}`,
    toProxy: '198.18.1.1',
    toClients: '198.18.1.2',
    proxyNet: '198.18.64.0',
    proxyNetPrefix: 18,
    proxyListener: (i) => `198.18.${64 + ((i + 1) >> 8)}.${(i + 1) & 255}`,
    clientNet: '198.18.128.0',
    clientNetPrefix: 17,
    clientAddress: (i) => `198.18.${128 + ((i + 1) >> 8)}.${(i + 1) & 255}`,
    neighbourAddress: (i) => `198.18.2.${i + 1}`,
    natAddress: '198.18.4.1',
    programAddress: '198.18.3.1',
    namedAddress: (i) => `198.19.${128 + ((i + 1) >> 8)}.${(i + 1) & 255}`,
  },
  6: {
    client: 'fdb5::1',
    origin: 'fdb5::2',
    linkPrefix: 64,
    hostPrefix: 128,
    any: '::',
    originNet: 'fdb5:0:1::',
    originNetPrefix: 48,
    originAddress: (i) => `fdb5:0:1::${(i + 1).toString(16)}`,
    toProxy: 'fdb5:0:2::1',
    toClients: 'fdb5:0:2::2',
    proxyNet: 'fdb5:0:4::',
    proxyNetPrefix: 48,
    proxyListener: (i) => `fdb5:0:4::${(i + 1).toString(16)}`,
    clientNet: 'fdb5:0:3::',
    clientNetPrefix: 48,
    clientAddress: (i) => `fdb5:0:3::${(i + 1).toString(16)}`,
    neighbourAddress: (i) => `fdb5:0:5::${(i + 1).toString(16)}`,
    natAddress: 'fdb5:0:6::1',
    programAddress: '2001:2::1',
    namedAddress: (i) => `2001:2:0:1::${(i + 1).toString(16)}`,
  },
};
