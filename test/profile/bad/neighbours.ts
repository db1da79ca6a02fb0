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
    message: /^where: through needs a proxy, and the subject is direct: write "where: beside"$/,
  },
  {
    title: 'a neighbour beside the proxy that speaks to it',
    text: neighbours('name: others, protocol: get, rate: 10/s'),
    place: 'neighbours[0].protocol:9',
    message:
      /^a neighbour beside the load speaks tcp or udp or dns, not get: remove protocol, or write "where: through"$/,
  },
  {
    title: 'two neighbours of one name',
    text: neighbours('name: dns, rate: 10/s', 'name: dns, rate: 10/s'),
    place: 'neighbours[1].name:10',
    message: /^"dns" is the name of neighbours\[0\] too: rename one$/,
  },
  {
    title: 'a neighbour that nobody knows the end of',
    text: neighbours('name: dns, rate: 10/s, after: load'),
    place: 'neighbours[0]:9',
    message:
      /^the key "duration" is missing, and how long the load lasts after this neighbour has begun is not known beforehand: add "duration: 2s"$/,
  },
  {
    title: 'a neighbour on an address of the load',
    text: neighbours('name: dns, rate: 10/s, addresses: [10.50.0.1]'),
    place: 'neighbours[0].addresses[0]:9',
    message: /^10\.50\.0\.1 is an address of the load; a neighbour needs addresses of its own: use another$/,
  },
  {
    title: 'a service that is to open connections',
    text: neighbours('name: api, rate: 10/s, listen: 8125, strategy: bind'),
    place: 'neighbours[0].strategy:9',
    message: /^a neighbour that listens opens no connection, so it has no "strategy": remove strategy$/,
  },
  {
    title: 'a service through the proxy',
    text: neighbours('name: api, rate: 10/s, listen: 8125, where: through'),
    place: 'neighbours[0].where:9',
    message: /^a neighbour that listens is a program of its own: write "where: beside"$/,
  },
  {
    title: 'a neighbour that is down and does not listen',
    text: neighbours('name: dns, rate: 10/s, down: 10ms'),
    place: 'neighbours[0].down:9',
    message: /^down is of a neighbour that listens: add "listen: 40150", or remove down$/,
  },
  {
    title: 'a neighbour with a list of ports',
    text: neighbours('name: dns, rate: 10/s, strategy: bind-explicit-port'),
    place: 'neighbours[0].strategy:9',
    message: /^strategy bind-explicit-port needs a list of ports, and a neighbour has none: use another strategy$/,
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
    message:
      /^the host lab cannot have neighbours, which need a lab and a proxy of their own: use lab: \{ kind: netns \} with another subject, or remove neighbours$/,
  },
];
