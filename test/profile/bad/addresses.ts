/**
 * Bad profiles: address sets that do not exist, or that the lab cannot have.
 */
import { addresses, type BadProfile, edit } from './bad-profile.js';

export const ADDRESSES: readonly BadProfile[] = [
  {
    title: 'variants that have more addresses together than a machine has memory for',
    text: edit(
      '  - name: one',
      Array.from(
        { length: 60 },
        (_, i) => `  - { name: v${i}, addresses: { cidr: 10.${2 * i + 2}.0.0/15, count: 65536 } }`,
      ).join('\n'),
    ),
    place: 'variants[7].addresses.count:14',
    message: /have more than 524288 addresses together; at most 524288 are allowed: lower count/,
  },
  {
    title: 'an unbound address that the program is told to use',
    text: addresses('{ cidr: 10.50.0.0/24, unbound: 10.50.0.7 }'),
    place: 'addresses.unbound:2',
    message: /^10\.50\.0\.7 is one of the addresses that the program is told to use, .*: use another$/,
  },
  {
    title: 'an unbound address of the other family',
    text: addresses('{ cidr: 10.50.0.0/24, unbound: "fd00::1" }'),
    place: 'addresses.unbound:2',
    message: /are of two families: use an address of the same family$/,
  },
  {
    title: "an unbound address of the lab's",
    text: addresses('{ cidr: 10.50.0.0/24, unbound: 198.19.0.1 }'),
    place: 'addresses.unbound:2',
    message: /^198\.19\.0\.1 is in 198\.18\.0\.0\/15, the network that the lab uses/,
  },
  {
    title: 'an impossible prefix length',
    text: addresses('10.50.0.0/33'),
    place: 'addresses:2',
    message: /the prefix length of "10\.50\.0\.0\/33" is too long; it may be at most 32/,
  },
  {
    title: 'host bits set',
    text: addresses('10.50.0.1/24'),
    place: 'addresses:2',
    message: /host bits set; did you mean 10\.50\.0\.0\/24\?/,
  },
  {
    title: 'no prefix length',
    text: addresses('10.50.0.1'),
    place: 'addresses:2',
    message: /is not a CIDR; write an address and a prefix length/,
  },
  {
    title: 'an octet above 255',
    text: addresses('10.50.300.0/24'),
    place: 'addresses:2',
    message: /is not an IPv4 or IPv6 address/,
  },
  {
    title: 'an octal octet',
    text: addresses('{ list: [10.50.0.010] }'),
    place: 'addresses.list[0]:2',
    message: /is not an IPv4 or IPv6 address/,
  },
  {
    title: 'a list as addresses',
    text: addresses('[10.50.0.1]'),
    place: 'addresses:2',
    message: /^addresses must be a text or a map of keys, not a list: write "addresses: 10\.50\.0\.0\/24"$/,
  },
  {
    title: 'a number as CIDR',
    text: addresses('{ cidr: 10 }'),
    place: 'addresses.cidr:2',
    message:
      /^cidr must be a text \(local addresses, for example 10\.50\.0\.0\/24\), not 10 \(a number\): write "cidr: 10\.50\.0\.0\/24"$/,
  },
  {
    title: 'an unknown key of addresses',
    text: addresses('{ cidr: 10.50.0.0/24, conut: 5 }'),
    place: 'addresses.conut:2',
    message: /unknown key "conut".*did you mean count\?/,
  },
  {
    title: 'neither CIDR nor range nor list',
    text: addresses('{ count: 5 }'),
    place: 'addresses:2',
    message: /^addresses needs one of cidr, range or list, for example "cidr: 10\.50\.0\.0\/24"$/,
  },
  {
    title: 'both CIDR and range',
    text: addresses('{ cidr: 10.50.0.0/24, range: 10.50.0.1-10.50.0.9 }'),
    place: 'addresses.range:2',
    message: /^cidr and range both say which addresses to use; remove one of them$/,
  },
  {
    title: 'count beside a list',
    text: addresses('{ list: [10.50.0.1, 10.50.0.2], count: 1 }'),
    place: 'addresses.count:2',
    message: /^count does not go with a list, which is used whole: remove count, or shorten the list$/,
  },
  {
    title: 'more addresses than the CIDR has',
    text: edit('- name: one', '- name: one\n    addresses: { count: 300 }'),
    place: 'variants[0].addresses.count:8',
    message: /10\.50\.0\.0\/24 has 254 usable addresses, and count asks for 300/,
  },
  {
    title: 'far too many addresses',
    text: addresses('10.0.0.0/8'),
    place: 'addresses:2',
    message: /at most 65536 are allowed: add a count/,
  },
  {
    title: 'a range upside down',
    text: addresses('{ range: 10.50.0.9-10.50.0.1 }'),
    place: 'addresses.range:2',
    message: /is above the last; swap them/,
  },
  {
    title: 'loopback addresses',
    text: addresses('127.0.1.0/24'),
    place: 'addresses:2',
    message:
      /^127\.0\.1\.1 is a loopback address, where tcp_tw_reuse=2 \(the default\) reuses TIME_WAIT and would hide the problem: use private addresses, for example 10\.50\.0\.0\/24$/,
  },
  {
    title: 'multicast addresses',
    text: addresses('224.0.1.0/24'),
    place: 'addresses:2',
    message: /a multicast address; local addresses must be unicast/,
  },
  {
    title: 'the broadcast address',
    text: addresses('{ list: [255.255.255.255] }'),
    place: 'addresses.list[0]:2',
    message: /the broadcast address/,
  },
  {
    title: 'link-local addresses',
    text: addresses('fe80::/64').replace('fe80::/64', '{ cidr: "fe80::/64", count: 2 }'),
    place: 'addresses.cidr:2',
    message:
      /^fe80::1 is a link-local address; local addresses must be unicast: use private ones, for example 10\.50\.0\.0\/24$/,
  },
  {
    title: "the lab's own network",
    text: addresses('198.18.0.0/24'),
    place: 'addresses:2',
    message:
      /^198\.18\.0\.1 is in 198\.18\.0\.0\/15, the network that the lab uses for its own links and origin: use another, for example 10\.50\.0\.0\/24$/,
  },
  {
    title: "the lab's own IPv6 network",
    text: addresses('{ range: "fdb5::1-fdb5::4" }'),
    place: 'addresses.range:2',
    message:
      /^fdb5::1 is in fdb5::\/32, the network that the lab uses for its own links and origin: use another, for example 10\.50\.0\.0\/24$/,
  },
  {
    title: 'mixed families',
    text: addresses('{ list: [10.50.0.1, "fd00:50::1"] }'),
    place: 'addresses.list[1]:2',
    message:
      /^fd00:50::1 and 10\.50\.0\.1 are of two families; the addresses of one arm must be of one: keep IPv4 or IPv6, and give the other a variant of its own$/,
  },
  {
    title: 'an address twice',
    text: addresses('{ list: ["fd00:50::1", "fd00:50:0::1"] }'),
    place: 'addresses.list[1]:2',
    message: /^"fd00:50::1" is in the list twice \(it is item 1 too\): remove one$/,
  },
];
