/**
 * Bad profiles: what would reach out of the lab without leave.
 */
import { add, type BadProfile, external } from './bad-profile.js';

export const OUTSIDE: readonly BadProfile[] = [
  {
    title: 'a target from a netns lab',
    text: external('["10.20.0.10:3128"]').replace('kind: host', 'kind: netns'),
    place: 'destinations.targets:12',
    message:
      /^targets are outside the lab, and the netns lab has no way out: remove targets to use the lab's own origin, or write lab: \{ kind: host \}$/,
  },
  {
    title: 'a target that is not on the allow list',
    text: external('["10.20.0.10:3128"]', '["10.20.0.11:3128"]'),
    place: 'destinations.targets[0]:12',
    message:
      /^10\.20\.0\.10:3128 is not on the allow list; a target outside the lab must be on it, port included: add allow: \["10\.20\.0\.10:3128"\] if you may load it$/,
  },
  {
    title: 'a target on the allow list with another port',
    text: external('["10.20.0.10:3128"]', '["10.20.0.10:80"]'),
    place: 'destinations.targets[0]:12',
    message: /not on the allow list; .*port included/,
  },
  {
    title: 'a target without an allow list',
    text: external('["10.20.0.10:3128"]', '[]'),
    place: 'destinations.targets[0]:12',
    message: /not on the allow list/,
  },
  {
    title: 'a host name as target',
    text: external('["proxy.example.com:3128"]', '[]'),
    place: 'destinations.targets[0]:12',
    message: /"proxy\.example\.com" is a host name, and names are not looked up.*write its IP address/,
  },
  {
    title: 'a host name on the allow list',
    text: external('["10.20.0.10:80"]', '["10.20.0.10:80", "localhost:80"]'),
    place: 'allow[1]:10',
    message: /"localhost" is a host name/,
  },
  {
    title: 'a URL as target',
    text: external('["http://10.20.0.10:80/"]', '[]'),
    place: 'destinations.targets[0]:12',
    message: /is not a target; write an address and a port/,
  },
  {
    title: 'a target without a port',
    text: external('["10.20.0.10"]', '[]'),
    place: 'destinations.targets[0]:12',
    message: /is not a target; write an address and a port/,
  },
  {
    title: 'a target with port 0',
    text: external('["10.20.0.10:0"]', '[]'),
    place: 'destinations.targets[0]:12',
    message: /has port 0; a port is from 1 to 65535/,
  },
  {
    title: 'an IPv6 target without brackets',
    text: external('["fd00:20::10:3128"]', '[]'),
    place: 'destinations.targets[0]:12',
    message: /an IPv6 address stands in brackets/,
  },
  {
    title: 'a multicast target',
    text: external('["239.1.1.1:80"]', '[]'),
    place: 'destinations.targets[0]:12',
    message: /a multicast address, which is never a target/,
  },
  {
    title: 'a broadcast target',
    text: external('["255.255.255.255:80"]', '[]'),
    place: 'destinations.targets[0]:12',
    message: /the broadcast address, which is never a target/,
  },
  {
    title: 'a link-local target',
    text: external('["[fe80::1]:80"]', '[]'),
    place: 'destinations.targets[0]:12',
    message: /a link-local address/,
  },
  {
    title: 'a placeholder as target',
    text: external('["192.0.2.10:3128"]', '[]'),
    place: 'destinations.targets[0]:12',
    message: /a placeholder: put your own proxy's address here/,
  },
  {
    title: 'a target of the other family',
    text: external('["[fd00:20::10]:3128"]'),
    place: 'destinations.targets[0]:12',
    message:
      /^\[fd00:20::10\]:3128 and the local addresses \(10\.50\.0\.1, …\) are of two families; a connection has one: use targets and addresses of the same$/,
  },
  {
    title: 'a target twice',
    text: external('["10.20.0.10:80", "10.20.0.10:80"]'),
    place: 'destinations.targets[1]:12',
    message: /^10\.20\.0\.10:80 is in the list twice; every target gets the same share of the load: remove one$/,
  },
  {
    title: "targets beside the lab's own ports",
    text: `${external('["10.20.0.10:80"]')}  ports: 4\n`,
    place: 'destinations.ports:13',
    message: /^targets and ports do not go together \(ports is about the lab's own origin\); keep one of the two$/,
  },
  {
    title: 'too many destinations',
    text: add('destinations: { addresses: 4096, ports: 4096 }'),
    place: 'destinations.ports:8',
    message: /16777216 destinations; at most 10000/,
  },
  {
    title: 'the host lab without leave',
    text: add('lab: { kind: host }\nsysctls:\n  net.ipv4.tcp_tw_reuse: 1'),
    place: 'lab:8',
    message:
      /^the host lab loads and may change this machine itself, which the profile must allow: add "allowHostChanges: true" at the top, or use lab: \{ kind: netns \}$/,
  },
  {
    title: 'the host lab, forbidden',
    text: add('lab: { kind: host }\nsysctls: { net.ipv4.tcp_tw_reuse: 1 }\nallowHostChanges: false'),
    place: 'allowHostChanges:10',
    message: /add "allowHostChanges: true"/,
  },
];
