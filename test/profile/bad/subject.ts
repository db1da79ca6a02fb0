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
    message: /"persistent" is a setting of a proxy, but the subject is direct; name a proxy, for example "kind: squid"/,
  },
  {
    title: 'a setting of a proxy in a variant of the direct subject',
    text: edit('  - name: one', '  - name: one\n    subject: { binary: squid6 }'),
    place: 'variants[0].subject.binary:8',
    message: /"binary" is a setting of a proxy/,
  },
  {
    title: 'another kind of subject in a variant',
    text: edit('  - name: one', '  - name: one\n    subject: { kind: squid }'),
    place: 'variants[0].subject.kind:8',
    message:
      /unknown key "kind"; allowed here: binary, suite, persistent, outgoing, config, base, descriptors, .*, target/,
  },
  {
    title: 'a proxy in the host lab',
    text: `${squid()}lab: { kind: host }\nallowHostChanges: true\n`,
    place: 'subject.kind:8',
    message: /the host lab cannot start squid: .* use lab: \{ kind: netns \}/,
  },
  {
    title: 'two lines of configuration in one',
    text: squid('workers: 1', ', config: ["via off", "a\\nb"]'),
    place: 'subject.config[1]:8',
    message: /"a\\nb" is more than one line; write each line as an item of its own/,
  },
  {
    title: 'few descriptors for a proxy',
    text: squid('workers: 1', ', descriptors: 3'),
    place: 'subject.descriptors:8',
    message:
      /^descriptors must be at least 64 \(.*descriptors that the proxy may have\), not 3 \(a number\): write "descriptors: 16000"$/,
  },
  {
    title: 'a strategy for a proxy, which has its own',
    text: `${edit('name: good', 'name: good\nsubject: { kind: squid }')}`,
    place: 'load.strategy:5',
    message: /load\.strategy has no effect with the subject squid, which chooses its local ports itself; remove it/,
  },
  {
    title: 'HTTP with nobody to speak it to',
    text: load('protocol: connect'),
    place: 'load.protocol:4',
    message: /protocol connect is spoken to a proxy, but the subject is direct: remove protocol/,
  },
  {
    title: 'squid without HTTP',
    text: squid('protocol: tcp'),
    place: 'load.protocol:4',
    message: /squid does not accept protocol "tcp"; use connect or get/,
  },
  {
    title: 'a body in a tunnel',
    text: squid('body: 100'),
    place: 'load.body:4',
    message: /only the answer to a GET has a body: add "protocol: get", or use exchange/,
  },
  {
    title: 'an exchange beside a GET',
    text: squid('protocol: get\n  exchange: { request: 1, response: 1 }'),
    place: 'load.exchange:5',
    message: /protocol get is an exchange itself: remove exchange/,
  },
  {
    title: 'a GET that nobody accepts',
    text: squid('protocol: get\n  sink: listen-only'),
    place: 'load.sink:5',
    message: /with protocol get the origin must answer: use "sink: accept"/,
  },
  {
    title: 'an answer that comes too late by order',
    text: squid('protocol: get\n  hold: 6s'),
    place: 'load.hold:5',
    message:
      /the origin waits for hold \(6s\) before it answers a GET, longer than timeout \(5s\), so no attempt could succeed/,
  },
  {
    title: 'the role of a proxy without one',
    text: add('roles: { proxy: { sysctls: { net.ipv4.tcp_tw_reuse: 1 } } }'),
    place: 'roles.proxy:8',
    message: /^there is no role "proxy" with the subject direct; use client or origin$/,
  },
  {
    title: 'a role that is none',
    text: add('roles: { server: { sysctls: { net.ipv4.tcp_tw_reuse: 1 } } }'),
    place: 'roles.server:8',
    message: /unknown key "server"; allowed here: client, proxy, router, origin/,
  },
  {
    title: 'a bad sysctl of a role',
    text: add('roles: { origin: { sysctls: { net.ipv4.tcp_tw_reuse: on } } }'),
    place: 'roles.origin.sysctls["net.ipv4.tcp_tw_reuse"]:8',
    message: /"on" is not a number, and the kernel's switches are numbers; write 1/,
  },
  {
    title: 'a setting that another kind of proxy has',
    text: squid('workers: 1', ', mode: http'),
    place: 'subject.mode:8',
    message:
      /squid has no setting "mode" \(it has binary, suite, persistent, outgoing, config, base, descriptors, clients, whatIf, takes\); remove it/,
  },
  {
    title: 'connections kept where there are no requests',
    text: of('haproxy, persistent: true'),
    place: 'subject.persistent:8',
    message: /persistent needs mode http: in mode tcp a connection serves one client; add "mode: http"/,
  },
  {
    title: 'nothing but bytes for a proxy of requests',
    text: of('nginx', 'protocol: tcp'),
    place: 'load.protocol:4',
    message: /nginx in mode http does not accept protocol "tcp"; use get/,
  },
  {
    title: 'several outgoing addresses of dante',
    text: of('dante'),
    place: 'addresses:2',
    message:
      /dante takes its outgoing address by the route to the destination, .* only one of \d+ addresses would be used/,
  },
  {
    title: 'SOCKS with nobody to speak it to',
    text: load('protocol: socks5'),
    place: 'load.protocol:4',
    message: /protocol socks5 is spoken to a proxy, but the subject is direct/,
  },
  {
    title: 'an external proxy in a lab without a way out',
    text: `${of('external, target: "10.20.0.10:3128"')}allow: ["10.20.0.10:3128"]\n`,
    place: 'subject.kind:8',
    message: /a netns lab has no way out, and an external proxy is outside of it; use lab: \{ kind: host \}/,
  },
  {
    title: 'an external proxy without a target',
    text: external(''),
    place: 'subject:8',
    message: /the target is missing: give the address and port of the external proxy/,
  },
  {
    title: 'an external proxy that is not on the allow list, though another port of it is',
    text: external(', target: "10.20.0.10:3128"', '"10.20.0.10:3129"'),
    place: 'subject.target:8',
    message: /10\.20\.0\.10:3128 is not on the allow list; .* port included/,
  },
  ...(
    [
      ['a link-local proxy', '169.254.1.1:3128', /link-local/],
      ['a multicast proxy', '239.1.2.3:3128', /multicast/],
      ['a broadcast proxy', '255.255.255.255:3128', /broadcast/],
      ['a proxy by its name', 'proxy.example:3128', /"proxy\.example" is a host name/],
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
      /254 addresses and 100 destinations need 25400 server lines in haproxy, .* at most 20000 are allowed: lower one/,
  },
  {
    title: 'an external proxy with the settings of one that is started',
    text: external(', target: "10.20.0.10:3128", binary: squid', '"10.20.0.10:3128"'),
    place: 'subject.binary:8',
    message: /external has no setting "binary" \(it has target\); remove it/,
  },
  {
    title: 'more exits of Tor than the lab has',
    text:
      edit('  strategy: bind', '  workers: 1').replace(/^addresses:.*$/m, 'addresses: 10.50.0.0/28') +
      'subject: { kind: tor }\n',
    place: 'addresses:2',
    message: /14 addresses need as many exits, .* at most 8: use count: 8/,
  },
  {
    title: 'a private Tor network of IPv6',
    text:
      edit('  strategy: bind', '  workers: 1').replace(/^addresses:.*$/m, 'addresses: fd00:50::1/128') +
      'subject: { kind: tor }\n',
    place: 'addresses:2',
    message: /the private Tor network of the lab is IPv4 only, and fd00:50::1 is IPv6/,
  },
  {
    title: 'a Tor that is fetched and here',
    text: of('tor, suite: bullseye, binary: /opt/tor').replace('10.50.0.0/24', '10.50.0.1/32'),
    place: 'subject.suite:8',
    message: /suite bullseye fetches a tor and binary "\/opt\/tor" names one that is here; remove one of them/,
  },
  {
    title: 'a deadline for a program that needs none',
    text: squid('workers: 1', ', deadline: 9s'),
    place: 'subject.deadline:8',
    message: /squid has no setting "deadline"/,
  },
  {
    title: 'a program without a command',
    text: of('program, ready: { listen: 8080 }'),
    place: 'subject:8',
    message: /command is missing: name the program and its arguments, for example command: \[node, service\.js\]/,
  },
  {
    title: 'a load for a program that does not say where it listens',
    text: of('program, command: [node]'),
    place: 'subject:8',
    message: /add "ready: \{ listen: 8080 \}", or let the program drive itself, with "arrival: \{ shape: own \}"/,
  },
  {
    title: 'a squid that drives itself',
    text: of('squid')
      .replace(/ {2}workers: 1\n/, '')
      .replace(/\{ shape.*\}/, '{ shape: own }'),
    place: 'load.arrival.shape:4',
    message: /shape own is of a program that drives itself, but the subject is squid/,
  },
  {
    title: 'workers where the program drives itself',
    text: of('program, command: [node]').replace(/\{ shape.*\}/, '{ shape: own }'),
    place: 'load.workers:4',
    message: /load\.workers has no effect where the program drives itself; remove it/,
  },
  {
    title: 'a file of a program in a folder',
    text: of('program, command: [node], ready: { listen: 8080 }, files: { a/b: x }'),
    place: 'subject.files["a/b"]:8',
    message:
      /"a\/b" is not a name of a file in \{dir\}: use letters, digits, dots, dashes and underscores, and no folders/,
  },
  {
    title: 'a variable of a program that no shell could set',
    text: of('program, command: [node], ready: { listen: 8080 }, env: { A-B: 1 }'),
    place: 'subject.env.A-B:8',
    message: /"A-B" is not a name of an environment variable: use letters, digits and underscores/,
  },
];
