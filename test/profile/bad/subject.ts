/**
 * Bad profiles: the subject, its roles, and a load that does not go with it.
 */
import { add, type BadProfile, edit, load } from './bad-profile.js';

/** The good profile with squid as its subject, and one line of the load of the caller's choice. */
const squid = (line = 'workers: 1', settings = '') =>
  `${edit('  strategy: bind', `  ${line}`)}subject: { kind: squid${settings} }\n`;

/** The good profile with another subject, and one line of the load. */
const of = (subject: string, line = 'workers: 1') =>
  `${edit('  strategy: bind', `  ${line}`)}subject: { kind: ${subject} }\n`;

/** The same on the host, and an allow list that has the address of the squid of another test only if told. */
const external = (settings: string, allowed = '"10.20.0.11:3128"') =>
  `${of(`external${settings}`)}lab: { kind: host }\nallowHostChanges: true\nallow: [${allowed}]\n`;

export const SUBJECT: readonly BadProfile[] = [
  {
    title: 'a setting of a proxy where there is none',
    text: add('subject: { kind: direct, persistent: true }'),
    place: 'subject.persistent:8',
    message: /found persistent, which is a setting of a proxy; the subject is direct: name a kind, as "kind: squid"/,
  },
  {
    title: 'a setting of a proxy in a variant of the direct subject',
    text: edit('  - name: one', '  - name: one\n    subject: { binary: squid6 }'),
    place: 'variants[0].subject.binary:8',
    message: /found binary, which is a setting of a proxy/,
  },
  {
    title: 'another kind of subject in a variant',
    text: edit('  - name: one', '  - name: one\n    subject: { kind: squid }'),
    place: 'variants[0].subject.kind:8',
    message:
      /unknown key "kind"; allowed here: binary, persistent, outgoing, config, descriptors, mode, ports, clients, suite, deadline, target/,
  },
  {
    title: 'a proxy in the host lab',
    text: `${squid()}lab: { kind: host }\nallowHostChanges: true\n`,
    place: 'subject.kind:8',
    message: /found the subject squid in the host lab; .*: use lab: \{ kind: netns \}/,
  },
  {
    title: 'two lines of configuration in one',
    text: squid('workers: 1', ', config: ["via off", "a\\nb"]'),
    place: 'subject.config[1]:8',
    message: /found "a\\nb", which is more than one line; write each line as an item of its own/,
  },
  {
    title: 'few descriptors for a proxy',
    text: squid('workers: 1', ', descriptors: 3'),
    place: 'subject.descriptors:8',
    message: /expected at least 64 \(descriptors that the proxy may have\)/,
  },
  {
    title: 'a strategy for a proxy, which has its own',
    text: `${edit('name: good', 'name: good\nsubject: { kind: squid }')}`,
    place: 'load.strategy:5',
    message: /found strategy, but the subject is squid, which chooses its local ports itself: remove strategy/,
  },
  {
    title: 'HTTP with nobody to speak it to',
    text: load('protocol: connect'),
    place: 'load.protocol:4',
    message: /found protocol connect, which a client speaks to a proxy, but the subject is direct: remove protocol/,
  },
  {
    title: 'squid without HTTP',
    text: squid('protocol: tcp'),
    place: 'load.protocol:4',
    message: /found protocol tcp, which squid is not spoken to with here; allowed are connect, get/,
  },
  {
    title: 'a body in a tunnel',
    text: squid('body: 100'),
    place: 'load.body:4',
    message: /found a body, which only the answer to a GET has: add "protocol: get", or use exchange/,
  },
  {
    title: 'an exchange beside a GET',
    text: squid('protocol: get\n  exchange: { request: 1, response: 1 }'),
    place: 'load.exchange:5',
    message: /found an exchange beside protocol get/,
  },
  {
    title: 'a GET that nobody accepts',
    text: squid('protocol: get\n  sink: listen-only'),
    place: 'load.sink:5',
    message: /with protocol get the origin must answer: write "sink: accept"/,
  },
  {
    title: 'an answer that comes too late by order',
    text: squid('protocol: get\n  hold: 6s'),
    place: 'load.hold:5',
    message:
      /found hold 6s, for which the origin waits before it answers a GET, and timeout 5s: no attempt could be ok/,
  },
  {
    title: 'the role of a proxy without one',
    text: add('roles: { proxy: { sysctls: { net.ipv4.tcp_tw_reuse: 1 } } }'),
    place: 'roles.proxy:8',
    message: /found the role proxy, but the subject is direct: there are the roles client and origin/,
  },
  {
    title: 'a role that is none',
    text: add('roles: { server: { sysctls: { net.ipv4.tcp_tw_reuse: 1 } } }'),
    place: 'roles.server:8',
    message: /unknown key "server"; allowed here: client, proxy, origin/,
  },
  {
    title: 'a bad sysctl of a role',
    text: add('roles: { origin: { sysctls: { net.ipv4.tcp_tw_reuse: on } } }'),
    place: 'roles.origin.sysctls["net.ipv4.tcp_tw_reuse"]:8',
    message: /found "on"; the kernel's switches are numbers: write 1/,
  },
  {
    title: 'a setting that another kind of proxy has',
    text: squid('workers: 1', ', mode: http'),
    place: 'subject.mode:8',
    message:
      /found mode, which squid has not; its settings are binary, persistent, outgoing, config, descriptors, clients: remove mode/,
  },
  {
    title: 'connections kept where there are no requests',
    text: of('haproxy, persistent: true'),
    place: 'subject.persistent:8',
    message: /found persistent connections in mode tcp, in which a connection is the client's alone: add "mode: http"/,
  },
  {
    title: 'nothing but bytes for a proxy of requests',
    text: of('nginx', 'protocol: tcp'),
    place: 'load.protocol:4',
    message: /found protocol tcp, which nginx in mode http is not spoken to with here; allowed are get/,
  },
  {
    title: 'several outgoing addresses of dante',
    text: of('dante'),
    place: 'addresses:2',
    message: /found \d+ addresses, but dante takes its outgoing address by the route to the destination/,
  },
  {
    title: 'SOCKS with nobody to speak it to',
    text: load('protocol: socks5'),
    place: 'load.protocol:4',
    message: /found protocol socks5, which a client speaks to a proxy, but the subject is direct/,
  },
  {
    title: 'an external proxy in a lab without a way out',
    text: `${of('external, target: "10.20.0.10:3128"')}allow: ["10.20.0.10:3128"]\n`,
    place: 'subject.kind:8',
    message: /found an external proxy, and a netns lab has no way out: set lab: \{ kind: host \}/,
  },
  {
    title: 'an external proxy without a target',
    text: external(''),
    place: 'subject:8',
    message: /found no target; an external proxy is named by its address and port/,
  },
  {
    title: 'an external proxy that is not on the allow list, though another port of it is',
    text: external(', target: "10.20.0.10:3128"', '"10.20.0.10:3129"'),
    place: 'subject.target:8',
    message: /found 10\.20\.0\.10:3128, which is not on the allow list; .* port included/,
  },
  ...(
    [
      ['a link-local proxy', '169.254.1.1:3128', /link-local/],
      ['a multicast proxy', '239.1.2.3:3128', /multicast/],
      ['a broadcast proxy', '255.255.255.255:3128', /broadcast/],
      ['a proxy by its name', 'proxy.example:3128', /found the host name "proxy\.example"/],
    ] as const
  ).map(
    ([title, target, message]): BadProfile => ({
      title,
      text: external(`, target: "${target}"`),
      place: 'subject.target:8',
      message,
    }),
  ),
  {
    title: 'more server lines than a haproxy may have',
    text: edit(
      'addresses: 10.50.0.0/24',
      'addresses: 10.50.0.0/24\ndestinations: { ports: 100 }',
      add('subject: { kind: haproxy }').replace('  strategy: bind\n', ''),
    ),
    place: 'destinations.ports:3',
    message:
      /found 254 addresses and 100 destinations, .* a server line each, 25400 in all; at most 20000 are allowed: lower one/,
  },
  {
    title: 'an external proxy with the settings of one that is started',
    text: external(', target: "10.20.0.10:3128", binary: squid', '"10.20.0.10:3128"'),
    place: 'subject.binary:8',
    message: /found binary, which external has not; its settings are target: remove binary/,
  },
  {
    title: 'more exits of Tor than the lab has',
    text:
      edit('  strategy: bind', '  workers: 1').replace(/^addresses:.*$/m, 'addresses: 10.50.0.0/28') +
      'subject: { kind: tor }\n',
    place: 'addresses:2',
    message: /found 14 addresses; a Tor has one OutboundBindAddressExit, .* at most 8: use count: 8/,
  },
  {
    title: 'a private Tor network of IPv6',
    text:
      edit('  strategy: bind', '  workers: 1').replace(/^addresses:.*$/m, 'addresses: fd00:50::1/128') +
      'subject: { kind: tor }\n',
    place: 'addresses:2',
    message: /found fd00:50::1; the private Tor network of the lab is of IPv4/,
  },
  {
    title: 'a Tor that is fetched and here',
    text: of('tor, suite: bullseye, binary: /opt/tor').replace('10.50.0.0/24', '10.50.0.1/32'),
    place: 'subject.suite:8',
    message: /found suite bullseye beside binary "\/opt\/tor"; .* remove one of them/,
  },
  {
    title: 'a deadline for a program that needs none',
    text: squid('workers: 1', ', deadline: 9s'),
    place: 'subject.deadline:8',
    message: /found deadline, which squid has not/,
  },
];
