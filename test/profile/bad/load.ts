/**
 * Bad profiles: loads that contradict themselves, do nothing, or never end.
 */
import { arrival, type BadProfile, edit, load } from './bad-profile.js';

export const LOAD: readonly BadProfile[] = [
  {
    title: 'a rate without a unit',
    text: arrival('{ shape: constant, rate: 2000, duration: 1s }'),
    place: 'load.arrival.rate:5',
    message: /found 2000 \(a number\); expected a text \(attempts per second, as 2000\/s\): write "rate: 2000\/s"/,
  },
  {
    title: 'a search for something unknown',
    text: arrival('{ find: min-rate }'),
    place: 'load.arrival.find:5',
    message: /found "min-rate" \(a text\); allowed is only max-rate/,
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
    message: /found 20\/s, below from \(50\/s\): raise to, or lower from/,
  },
  {
    title: 'a search with a tolerance that is no share',
    text: arrival('{ find: max-rate, tolerance: 200% }'),
    place: 'load.arrival.tolerance:5',
    message: /found "200%"; a share is a number of percent above 0 and below 100, as 2%/,
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
    message: /found "1 day"; a duration is a number and a unit/,
  },
  {
    title: 'a duration of zero',
    text: arrival('{ shape: constant, rate: 5/s, duration: 0s }'),
    place: 'load.arrival.duration:5',
    message: /schedules no attempt; raise the rate or the duration/,
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
    message: /found "constnat" \(a text\); allowed are constant, .*did you mean constant\?/,
  },
  {
    title: 'an arrival that is a rate',
    text: arrival('100/s'),
    place: 'load.arrival:5',
    message: /found "100\/s" \(a text\); expected a map of keys: write "arrival: /,
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
    message: /the key "rate" is missing \(attempts per second, as 2000\/s\): add "rate: 2000\/s"/,
  },
  {
    title: 'a fill without an end',
    text: arrival('{ shape: fill }'),
    place: 'load.arrival:5',
    message: /a fill that never ends; it needs attempts or failures: add "failures: 20"/,
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
    message: /found a run of 2h; at most 1h is allowed/,
  },
  {
    title: 'an experiment of months',
    text: `${edit('duration: 1s', 'duration: 1h')}repeat: 1000\n`,
    place: 'repeat:8',
    message: /2 arms × 1001 blocks, 2002h of load in all; at most 168h/,
  },
  {
    title: 'an unknown strategy',
    text: load('strategy: bind-noport'),
    place: 'load.strategy:4',
    message: /found "bind-noport" \(a text\); allowed are connect, bind, .*did you mean bind-no-port\?/,
  },
  {
    title: 'a timeout of zero',
    text: load('timeout: 0s'),
    place: 'load.timeout:4',
    message: /a timeout must be greater than 0: write "timeout: 5s"/,
  },
  {
    title: 'a hold that is a number',
    text: load('hold: 0'),
    place: 'load.hold:4',
    message: /found 0 \(a number\); expected a text \(how long an established connection.*write "hold: 250ms"/,
  },
  {
    title: 'a port list for a strategy without one',
    text: load('ports: 20000-29999'),
    place: 'load.ports:4',
    message:
      /a port list, which strategy connect does not use; bind-explicit-port, .*local-port-range do: remove ports/,
  },
  {
    title: 'a port range upside down',
    text: load('ports: 30000-20000'),
    place: 'load.ports:4',
    message: /found "30000-20000"; a port range is two ports from 1 to 65535, low first/,
  },
  {
    title: 'an exchange that nobody answers',
    text: load('sink: listen-only\n  exchange: { request: 1, response: 1 }'),
    place: 'load.exchange:5',
    message: /found an exchange, but with sink listen-only nobody accepts/,
  },
  {
    title: 'a server that closes and never accepts',
    text: load('sink: listen-only\n  close: server'),
    place: 'load.close:5',
    message: /found close: server, but with sink listen-only/,
  },
  {
    title: 'more connections held than may be in flight',
    text: arrival('{ shape: hold, connections: 100, duration: 1s }\n  maxInFlight: 10'),
    place: 'load.arrival.connections:5',
    message: /100 connections to hold, but maxInFlight allows 10 for each of 1 workers/,
  },
  {
    title: 'more workers than addresses',
    text: `${edit('10.50.0.0/24', '{ cidr: 10.50.0.0/24, count: 2, pick: by-worker }', load('workers: 3'))}`,
    place: 'load.workers:4',
    message: /3 workers and pick by-worker, but 2 addresses/,
  },
  {
    title: 'a workers count that is absurd',
    text: load('workers: 1000'),
    place: 'load.workers:4',
    message: /found 1000 \(a number\); expected at most 64 \(worker threads,/,
  },
];
