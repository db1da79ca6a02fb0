/**
 * Bad profiles: loads that contradict themselves, do nothing, or never end.
 */
import { arrival, type BadProfile, edit, load } from './bad-profile.js';

export const LOAD: readonly BadProfile[] = [
  {
    title: 'a strategy of UDP over TCP',
    text: load('strategy: sendto'),
    place: 'load.strategy:4',
    message: /^strategy sendto is of UDP: write "protocol: udp", or another strategy, for example "strategy: connect"$/,
  },
  {
    title: 'a key of UDP over TCP',
    text: load('socketOptions: [SO_REUSEPORT]'),
    place: 'load.socketOptions:4',
    message: /^socketOptions is of UDP: write "protocol: udp", or remove socketOptions$/,
  },
  {
    title: 'a close over UDP',
    text: load('protocol: udp\n  close: reset'),
    place: 'load.close:5',
    message: /^close: reset is of TCP, and protocol udp has no connections: remove close, or write "protocol: tcp"$/,
  },
  {
    title: 'a socket that connects and does not',
    text: load('protocol: udp\n  strategy: connect\n  peer: sendto'),
    place: 'load.peer:6',
    message: /^strategy connect gets its port by connect\(\), which does not go with "peer: sendto"/,
  },
  {
    title: 'one socket that is connected',
    text: load('protocol: udp\n  strategy: bind\n  peer: connect\n  sockets: one'),
    place: 'load.peer:6',
    message: /^one socket for all attempts goes to several destinations, so each datagram names its own/,
  },
  {
    title: 'an exchange of one that sends nothing',
    text: load('protocol: udp\n  strategy: bind\n  peer: none\n  exchange: { request: 64, response: 64 }'),
    place: 'load.exchange:7',
    message: /^with peer: none nothing is sent, so that there is no exchange: remove one of the two$/,
  },
  {
    title: 'a datagram too small to be told from another',
    text: load('protocol: udp\n  exchange: { request: 4, response: 64 }'),
    place: 'load.exchange.request:5',
    message: /^request is 4 B; a datagram of the load has 12 to 65507/,
  },
  {
    title: 'a recovery without an end',
    text: load('recovery: { every: 1s }'),
    place: 'load.recovery.within:4',
    message: /the key "within" is missing/,
  },
  {
    title: 'a recovery whose attempts are further apart than it lasts',
    text: load('recovery: { within: 1s, every: 2s }'),
    place: 'load.recovery.every:4',
    message: /^every is 2s; use a time from 10ms to that of within \(1s\)$/,
  },
  {
    title: 'a recovery that lasts an hour',
    text: load('recovery: { within: 1h }'),
    place: 'load.recovery.within:4',
    message: /^within is 1h; at most 10m is allowed$/,
  },
  {
    title: 'a recovery on the machine itself',
    text: `${load('recovery: { within: 1s }')}lab: { kind: host }\nallowHostChanges: true\n`,
    place: 'load.recovery:4',
    message: /^recovery would end all sockets of programs of this machine: remove/,
  },
  {
    title: 'a rate without a unit',
    text: arrival('{ shape: constant, rate: 2000, duration: 1s }'),
    place: 'load.arrival.rate:5',
    message:
      /^rate must be a text \(attempts per second, for example 2000\/s\), not 2000 \(a number\): write "rate: 2000\/s"$/,
  },
  {
    title: 'a search for something unknown',
    text: arrival('{ find: min-rate }'),
    place: 'load.arrival.find:5',
    message: /^find must be max-rate, not "min-rate" \(a text\) \(did you mean max-rate\?\)$/,
  },
  {
    title: 'a search with a key of an arrival',
    text: arrival('{ find: max-rate, rate: 5/s }'),
    place: 'load.arrival.rate:5',
    message: /unknown key "rate"; allowed here: find, from, to, tolerance, confirm, step, p99/,
  },
  {
    title: 'a search that ends below its beginning',
    text: arrival('{ find: max-rate, from: 50/s, to: 20/s }'),
    place: 'load.arrival.to:5',
    message: /^the search ends at 20\/s, below its first step \(50\/s\): raise to, or lower from$/,
  },
  {
    title: 'a search with a tolerance that is no share',
    text: arrival('{ find: max-rate, tolerance: 200% }'),
    place: 'load.arrival.tolerance:5',
    message: /"200%" is not a share; write a percentage above 0 and below 100, for example 2%/,
  },
  {
    title: 'a rate of zero',
    text: arrival('{ shape: constant, rate: 0/s, duration: 1s }'),
    place: 'load.arrival.rate:5',
    message: /the rate "0\/s" must be greater than 0/,
  },
  {
    title: 'a negative rate',
    text: arrival('{ shape: poisson, rate: -5/s, duration: 1s }'),
    place: 'load.arrival.rate:5',
    message: /"-5\/s" is not a rate; write a number per second or minute/,
  },
  {
    title: 'an absurd rate',
    text: arrival('{ shape: constant, rate: 5000k/s, duration: 1s }'),
    place: 'load.arrival.rate:5',
    message: /the rate "5000k\/s" is too high; a rate may be at most 1000000\/s/,
  },
  {
    title: 'a rate of zero among steps',
    text: arrival('{ shape: steps, rates: [10/s, 0/s], each: 1s }'),
    place: 'load.arrival.rates[1]:5',
    message: /must be greater than 0/,
  },
  {
    title: 'a duration in an unknown unit',
    text: arrival('{ shape: constant, rate: 5/s, duration: 1 day }'),
    place: 'load.arrival.duration:5',
    message: /"1 day" is not a duration; write a number and a unit/,
  },
  {
    title: 'a duration of zero',
    text: arrival('{ shape: constant, rate: 5/s, duration: 0s }'),
    place: 'load.arrival.duration:5',
    message: /^constant 5\/s for 0s schedules no attempt: raise the rate or the duration$/,
  },
  {
    title: 'a rate so low that nothing happens',
    text: arrival('{ shape: constant, rate: 1/min, duration: 1s }'),
    place: 'load.arrival.duration:5',
    message: /schedules no attempt/,
  },
  {
    title: 'no shape',
    text: arrival('{ rate: 5/s, duration: 1s }'),
    place: 'load.arrival.shape:5',
    message: /the key "shape" is missing; it is one of constant, poisson.*add "shape: constant"/,
  },
  {
    title: 'a mistyped shape',
    text: arrival('{ shape: constnat, rate: 5/s, duration: 1s }'),
    place: 'load.arrival.shape:5',
    message:
      /^shape must be one of constant, poisson, ramp, steps, fill, hold, own, not "constnat" \(a text\) \(did you mean constant\?\)$/,
  },
  {
    title: 'an arrival that is a rate',
    text: arrival('100/s'),
    place: 'load.arrival:5',
    message:
      /^arrival must be a map of keys, not "100\/s" \(a text\): write "arrival: \{ shape: constant, rate: 2000\/s, duration: 10s \}"$/,
  },
  {
    title: 'a key of another shape',
    text: arrival('{ shape: fill, failures: 5, rate: 5/s }'),
    place: 'load.arrival.rate:5',
    message: /unknown key "rate"; allowed here: shape, attempts, failures/,
  },
  {
    title: 'a constant arrival without a rate',
    text: arrival('{ shape: constant, duration: 1s }'),
    place: 'load.arrival.rate:5',
    message: /the key "rate" is missing \(attempts per second, for example 2000\/s\): add "rate: 2000\/s"/,
  },
  {
    title: 'a fill without an end',
    text: arrival('{ shape: fill }'),
    place: 'load.arrival:5',
    message: /^this fill never ends; it needs attempts or failures: add "failures: 20"$/,
  },
  {
    title: 'a fill that may go on for more than an hour',
    text: arrival('{ shape: fill, failures: 5, waves: 7 }'),
    place: 'load.arrival:5',
    message: /^this fill may go on for 70m \(7 waves of at most 10m\); at most 1h is allowed: write "within: 1m", or/,
  },
  {
    title: 'too many attempts',
    text: arrival('{ shape: constant, rate: 1000k/s, duration: 1m }'),
    place: 'load.arrival:5',
    message: /60000000 attempts in one run; at most 20000000 are allowed/,
  },
  {
    title: 'a run of two hours',
    text: arrival('{ shape: constant, rate: 1/s, duration: 2h }'),
    place: 'load.arrival:5',
    message:
      /^a run would take 2h; at most 1h is allowed, and exhaustion shows within minutes: shorten the arrivals or the hold$/,
  },
  {
    title: 'an experiment of months',
    text: `${edit('duration: 1s', 'duration: 1h')}repeat: 1000\n`,
    place: 'repeat:8',
    message:
      /^2 arms × 1001 blocks are 2002h of load in all; at most 168h is allowed: lower repeat, or shorten the load$/,
  },
  {
    title: 'an unknown strategy',
    text: load('strategy: bind-noport'),
    place: 'load.strategy:4',
    message:
      /^strategy must be one of connect, bind, bind-reuseaddr, bind-reuseport, bind-no-port, bind-no-port-reuseaddr, bind-explicit-port, bind-explicit-port-reuseport, bind-explicit-port-exclusive, bind-any, bind-any-reuseaddr, local-port-range, sendto, not "bind-noport" \(a text\) \(did you mean bind-no-port\?\)$/,
  },
  {
    title: 'a timeout of zero',
    text: load('timeout: 0s'),
    place: 'load.timeout:4',
    message: /^timeout must be greater than 0s, for example "timeout: 5s"$/,
  },
  {
    title: 'a hold that is a number',
    text: load('hold: 0'),
    place: 'load.hold:4',
    message:
      /^hold must be a text \(how long an established connection is kept open; with protocol get, how long the origin waits to answer\), not 0 \(a number\): write "hold: 250ms"$/,
  },
  {
    title: 'a port list for a strategy without one',
    text: load('ports: 20000-29999'),
    place: 'load.ports:4',
    message:
      /^strategy connect does not use a port list \(bind-explicit-port, bind-explicit-port-reuseport, bind-explicit-port-exclusive, local-port-range do\): remove ports, or set net\.ipv4\.ip_local_port_range under sysctls$/,
  },
  {
    title: 'a port range upside down',
    text: load('ports: 30000-20000'),
    place: 'load.ports:4',
    message: /"30000-20000" is not a port range; write two ports from 1 to 65535, the lower first/,
  },
  {
    title: 'an exchange that nobody answers',
    text: load('sink: listen-only\n  exchange: { request: 1, response: 1 }'),
    place: 'load.exchange:5',
    message:
      /^an exchange needs an origin that answers, and with sink listen-only nobody accepts the connection: remove exchange, or write "sink: accept"$/,
  },
  {
    title: 'a server that closes and never accepts',
    text: load('sink: listen-only\n  close: server'),
    place: 'load.close:5',
    message:
      /^close: server needs an origin that closes, and with sink listen-only nobody accepts the connection: write "close: client", or "sink: accept"$/,
  },
  {
    title: 'more connections held than may be in flight',
    text: arrival('{ shape: hold, connections: 100, duration: 1s }\n  maxInFlight: 10'),
    place: 'load.arrival.connections:5',
    message:
      /^maxInFlight allows 10 sockets for each of 1 workers, so not all of 100 connections can be held and the rest would be shed: raise maxInFlight, or hold fewer$/,
  },
  {
    title: 'more workers than addresses',
    text: `${edit('10.50.0.0/24', '{ cidr: 10.50.0.0/24, count: 2, pick: by-worker }', load('workers: 3'))}`,
    place: 'load.workers:4',
    message:
      /^pick by-worker gives every worker an address of its own, but there are 3 workers and 2 addresses: lower workers, or pick round-robin$/,
  },
  {
    title: 'a workers count that is absurd',
    text: load('workers: 1000'),
    place: 'load.workers:4',
    message:
      /^workers must be at most 64 \(worker threads, each with as many descriptors as ulimit -n allows\), not 1000 \(a number\): write "workers: 1"$/,
  },
];
