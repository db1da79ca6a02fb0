/**
 * Bad profiles: neighbours that could not run, or that are nowhere.
 */
import { add, type BadProfile } from './bad-profile.js';

const neighbours = (...items: string[]) => add(`neighbours:\n${items.map((item) => `  - { ${item} }\n`).join('')}`);

export const NEIGHBOURS: readonly BadProfile[] = [
  {
    title: 'a neighbour through a proxy that is not there',
    text: neighbours('name: others, where: through, rate: 10/s'),
    place: 'neighbours[0].where:9',
    message: /the subject is direct, and there is no proxy to go through: write "where: beside"/,
  },
  {
    title: 'a neighbour beside the proxy that speaks to it',
    text: neighbours('name: others, protocol: get, rate: 10/s'),
    place: 'neighbours[0].protocol:9',
    message: /found protocol, which clients of a proxy have: remove protocol, or write "where: through"/,
  },
  {
    title: 'two neighbours of one name',
    text: neighbours('name: dns, rate: 10/s', 'name: dns, rate: 10/s'),
    place: 'neighbours[1].name:10',
    message: /found "dns", which neighbours\[0\] has already: rename one/,
  },
  {
    title: 'a neighbour that nobody knows the end of',
    text: neighbours('name: dns, rate: 10/s, after: load'),
    place: 'neighbours[0]:9',
    message: /the key "duration" is missing: .*: add "duration: 2s"/,
  },
  {
    title: 'a neighbour on an address of the load',
    text: neighbours('name: dns, rate: 10/s, addresses: [10.50.0.1]'),
    place: 'neighbours[0].addresses[0]:9',
    message: /found 10\.50\.0\.1, which the load has: a neighbour has addresses of its own/,
  },
  {
    title: 'a neighbour of another family',
    text: neighbours('name: dns, rate: 10/s, addresses: ["fd00:50::1"]'),
    place: 'neighbours[0].addresses[0]:9',
    message: /found fd00:50::1 beside 10\.50\.0\.1; neighbours are of the family of the load/,
  },
  {
    title: 'a neighbour with a list of ports',
    text: neighbours('name: dns, rate: 10/s, strategy: bind-explicit-port'),
    place: 'neighbours[0].strategy:9',
    message: /found strategy bind-explicit-port, which needs a list of ports, and a neighbour has none: use another/,
  },
  {
    title: 'a neighbour whose load is none',
    text: neighbours('name: dns, rate: 0/s'),
    place: 'neighbours[0].rate:9',
    message: /rate/,
  },
  {
    title: 'a guardrail on a neighbour that is not there',
    text: `${neighbours('name: dns, rate: 10/s')}guardrails: ['neighbours["curl"].failures.share']\n`,
    place: 'guardrails[0]:11',
    message: /this profile has no neighbour "curl"; it has dns/,
  },
  {
    title: 'a goal that a neighbour does not have',
    text: `${neighbours('name: dns, rate: 10/s')}goal: neighbours["dns"].capacity\n`,
    place: 'goal:11',
    message: /a neighbour has no "capacity"; it has outcomes/,
  },
  {
    title: 'a neighbour in the host lab',
    text: `${neighbours('name: dns, rate: 10/s')}lab: { kind: host }\nallowHostChanges: true\n`,
    place: 'neighbours:9',
    message: /found neighbours with the host lab/,
  },
];
