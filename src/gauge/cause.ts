/**
 * Why the ports of a namespace fill up: the class, a sentence with the numbers, and what helps, by the same knowledge as `explain`. Pure.
 *
 * What is told is told of the fullest address. The states of its sockets say most: the largest group decides. Open connections look alike in
 * a table of sockets, so a sample of them tells silent ones from those that wait for an answer.
 */
import { formatTarget } from '../domain/format.js';
import { grouped } from '../domain/grouped.js';
import { printableWords } from '../domain/printable.js';
import { type Advice, HELD, type HeldBy } from '../explain/held.js';
import type { Activity } from '../kernel/socket-activity.js';
import type { Process } from '../kernel/socket-owners.js';
import { FEWEST_CHOSEN } from './chosen.js';
import type { AddressReading, Alarms, Capacity } from './reading.js';
import { turnoverOf } from './turnover.js';

/** From the calmest to the one that others than the program itself suffer from. */
export const CLASSES = [
  'healthy',
  'slow-wall',
  'hard-wall',
  'churn',
  'leak',
  'slow-server',
  'hot-destination',
  'poisoned',
] as const;
export type CauseClass = (typeof CLASSES)[number];

export interface Diagnosis {
  readonly class: CauseClass;
  /** The local address that it is told of; null: there is none. */
  readonly address: string | null;
  readonly sentence: string;
  readonly evidence: readonly string[];
  /** Where to see it oneself, what helps, and what is tried in vain; null: nothing is to be done. */
  readonly advice: Advice | null;
  /** What holds beside. */
  readonly also: readonly CauseClass[];
}

/** Sockets of one process. */
export interface Held extends Process {
  readonly sockets: number;
  /** Whether a sample of its descriptors was counted. */
  readonly estimated: boolean;
}

export interface DiagnosisInput {
  readonly capacity: Capacity;
  readonly alarms: Alarms;
  /** The fullest first. */
  readonly addresses: readonly AddressReading[];
  /** What the open connections of the fullest address do; null: they were not sampled. */
  readonly activity: Activity | null;
  /** From when on a connection counts as idle, ms. */
  readonly idleMs: number;
  /** How long a closed connection keeps its port at the most, seconds. */
  readonly timeWaitSeconds: number;
  /** Who has most sockets of an address, of any state or of one; null: nobody is known. */
  holder(address: string, state?: string): Held | null;
}

type Found = Omit<Diagnosis, 'also' | 'address'>;

const CLOSED = ['TIME_WAIT', 'FIN_WAIT1', 'FIN_WAIT2', 'CLOSING', 'LAST_ACK'];
/** From half of the way to the slow wall on it is worth a word. */
const NOTABLE = 0.5;
/** One destination counts as the only one that matters. */
const MOST_OF_THEM = 0.8;
/** TIME_WAIT ends in bursts, so that an address that refuses calls has a few free ports at times. */
const NEARLY_FULL = 0.95;

/**
 * The address whose open connections must be sampled before it can be said why its ports fill up; null: the states say enough.
 * @param addresses the fullest first
 */
export function addressToSample(addresses: readonly AddressReading[], alarms: Alarms): string | null {
  const [fullest] = addresses;
  if (!fullest || fullest.fill < NOTABLE * alarms.slow) return null;
  const { ESTABLISHED = 0, ...others } = fullest.states;
  return ESTABLISHED > 0 && Object.values(others).every((sockets) => sockets <= ESTABLISHED) ? fullest.address : null;
}

/** Say why the ports fill up. */
export function diagnose(input: DiagnosisInput): Diagnosis {
  const { addresses, alarms } = input;
  const [fullest] = addresses;
  const barred = barredBy(input);
  const own = fullest && fullest.fill >= NOTABLE * alarms.slow ? filledBy(input, fullest) : [];
  const found = [
    ...(barred ? [{ ...barred.found, address: barred.address }] : []),
    ...own.map((each) => ({ ...each, address: fullest!.address })),
  ];
  const [first, ...others] = found;
  if (!first) return healthy(fullest, input.capacity);
  return { ...first, also: others.map((each) => each.class) };
}

function healthy(fullest: AddressReading | undefined, { ports }: Capacity): Diagnosis {
  const sentence = fullest
    ? `Healthy: the fullest address, ${fullest.address}, has ${count(fullest.used)} of ${count(ports)} ${whatCounts(fullest)}.`
    : 'Healthy: no connection has an ephemeral port.';
  return { class: 'healthy', address: fullest?.address ?? null, sentence, evidence: [], advice: null, also: [] };
}

/** What holds the ports of an address, the reason first. */
function filledBy(input: DiagnosisInput, reading: AddressReading): Found[] {
  const lasting = lifeOf(input, reading);
  const hot = hotDestination(input, reading);
  const wall = wallReached(input, reading);
  return [lasting, hot, wall].filter((each) => each !== null);
}

/** What the sockets do, by the largest group of states; null: they are open, and nothing is wrong with that. */
function lifeOf(input: DiagnosisInput, reading: AddressReading): Found | null {
  const { states } = reading;
  const groups = [
    { sockets: sum(states, CLOSED), say: churn },
    { sockets: states.CLOSE_WAIT ?? 0, say: notClosed },
    { sockets: states.SYN_SENT ?? 0, say: unanswered },
    { sockets: states.CLOSE ?? 0, say: boundOnly },
    { sockets: states.ESTABLISHED ?? 0, say: open },
  ];
  const largest = groups.reduce((most, group) => (group.sockets > most.sockets ? group : most));
  return largest.say(input, reading, largest.sockets);
}

type Say = (input: DiagnosisInput, reading: AddressReading, sockets: number) => Found | null;

const churn: Say = ({ capacity, timeWaitSeconds }, reading, closed) => {
  const { address, sockets, wall } = reading;
  const pace = turnoverOf(reading, timeWaitSeconds);
  const sustained = capacity.ports / (timeWaitSeconds + (pace?.openSeconds ?? 0));
  const each = wall === 'destination' ? ' to each destination' : '';
  const held = pace?.mixed
    ? `, and the others are open for ${duration(pace.openSeconds)} each; ${count(capacity.ports)} ports sustain ${rate(sustained)} a second of that length${each}`
    : `; ${count(capacity.ports)} ports sustain ${rate(sustained)} a second${each}`;
  return {
    class: 'churn',
    sentence: `Churn: ${count(closed)} of ${count(sockets)} sockets of ${address} are closed and keep their ports (TIME_WAIT), about ${rate(pace?.perSecond ?? 0)} closes a second${held}.`,
    evidence: [
      `states: ${statesText(reading)}`,
      ...paceText(reading, timeWaitSeconds),
      ...chosen(reading),
      ...towards(reading),
    ],
    advice: morePorts(reading),
  };
};

/** What the sockets in TIME_WAIT say of the pace. At a full address it is less than what is asked for: the refused ones leave no socket. */
function paceText(reading: AddressReading, timeWaitSeconds: number): string[] {
  const pace = turnoverOf(reading, timeWaitSeconds);
  if (!pace) return [];
  const { waiting, open, perSecond, openSeconds, mixed } = pace;
  const lasts = timeWaitSeconds.toFixed(1);
  return [
    `TIME_WAIT lasts ${lasts} s here at most, so ${count(waiting)} of them are ${rate(perSecond)} closes a second, ${percent(Math.min(1, reading.fill))} of what can be sustained${reading.wall === 'destination' ? ' to the busiest destination' : ''}`,
    ...(mixed
      ? [
          `the ${count(open)} others, at ${rate(perSecond)} a second, are open for ${duration(openSeconds)} each, once it has gone on for longer than that`,
        ]
      : []),
    ...(reading.fill >= NEARLY_FULL
      ? [
          `${rate(perSecond)} a second are let through: with those that are refused (watch --failures, or the program's log) that is the demand`,
        ]
      : []),
  ];
}

const heldCount = ({ sockets, estimated }: Held) => `${estimated ? 'about ' : ''}${count(sockets)}`;

const notClosed: Say = ({ holder }, reading, sockets) => {
  const { address } = reading;
  const owner = holder(address, 'CLOSE_WAIT');
  return leak(
    `the other side has closed ${count(sockets)} of ${count(reading.sockets)} connections of ${address}, and ${owner ? nameOf(owner) : 'the program here'} has not (CLOSE_WAIT).`,
    'close-wait',
    reading,
    owner ? [`${nameOf(owner)} has ${heldCount(owner)} in CLOSE_WAIT`] : [],
  );
};

const boundOnly: Say = ({ holder }, reading, sockets) => {
  const owner = holder(reading.address, 'CLOSE');
  return leak(
    `${count(sockets)} of ${count(reading.sockets)} sockets of ${reading.address} are bound and connected to nothing${owner ? `; ${nameOf(owner)} has ${heldCount(owner)}` : ''}.`,
    'bound-only',
    reading,
    [],
  );
};

const unanswered: Say = (_, reading, sockets) => ({
  class: 'slow-server',
  sentence: `Slow server: ${count(sockets)} of ${count(reading.sockets)} connections of ${reading.address} have had no answer to their SYN${toLargest(reading)}.`,
  evidence: [`states: ${statesText(reading)}`, ...towards(reading)],
  advice: HELD.unanswered,
});

const open: Say = ({ activity, idleMs, timeWaitSeconds, holder }, reading, sockets) => {
  if (activity === null || activity.sampled === 0) return null;
  const { sampled, idle, waiting, quietMs } = activity;
  const owner = holder(reading.address, 'ESTABLISHED');
  const evidence = [
    `of ${count(sampled)} open connections that were looked at ${count(waiting)} wait for an answer and ${count(idle)} were silent for ${seconds(idleMs)}; the median of all is ${seconds(quietMs ?? 0)}`,
    ...(owner ? [`${nameOf(owner)} has ${heldCount(owner)} open`] : []),
  ];
  if (waiting * 2 >= sampled)
    return {
      class: 'slow-server',
      sentence: `Slow server: ${percent(waiting / sampled)} of the ${count(sockets)} open connections of ${reading.address} wait for an answer${toLargest(reading)}.`,
      evidence: [...evidence, ...towards(reading)],
      advice: HELD['no-answer-yet'],
    };
  if (idle * 2 < sampled) return null;
  // A pool that is never used and tunnels that end by themselves look alike but for this.
  const ending = turnoverOf(reading, timeWaitSeconds)?.mixed ? paceText(reading, timeWaitSeconds) : [];
  return leak(
    `${percent(idle / sampled)} of the ${count(sockets)} open connections of ${reading.address} have been silent for more than ${seconds(idleMs)}${owner ? `; ${nameOf(owner)} has most of them` : ''}.`,
    'idle',
    reading,
    [
      ...evidence,
      ...ending,
      ...(ending.length > 0 ? ['connections that end by themselves do not leak: more ports help with them'] : []),
    ],
  );
};

function leak(what: string, held: HeldBy, reading: AddressReading, evidence: readonly string[]): Found {
  return {
    class: 'leak',
    sentence: `Leak: ${what}`,
    evidence: [`states: ${statesText(reading)}`, ...evidence, ...towards(reading)],
    advice: HELD[held],
  };
}

/** Where connect() chose the ports, they run out towards one destination while others have plenty. */
function hotDestination({ capacity }: DiagnosisInput, reading: AddressReading): Found | null {
  const { address, largest, sockets, wall } = reading;
  if (largest === null || reading.chosenBy === 'bind') return null;
  const isMost = reading.chosenBy === 'connect' && largest.sockets >= MOST_OF_THEM * sockets;
  if (wall !== 'destination' && !isMost) return null;
  return {
    class: 'hot-destination',
    sentence: `One destination: ${formatTarget(largest)} has ${count(largest.sockets)} of the ${count(sockets)} sockets of ${address}, and connect() finds ${count(capacity.ports)} ports for it at most.`,
    evidence: [`states: ${statesText(reading)}`, ...chosen(reading)],
    advice: HELD['one-destination'],
  };
}

function wallReached({ capacity, timeWaitSeconds }: DiagnosisInput, reading: AddressReading): Found | null {
  const { level, address, used } = reading;
  if (level === 'ok') return null;
  const what = `${address} has ${count(used)} of ${count(capacity.ports)} ${whatCounts(reading)}`;
  const isHard = level === 'hard';
  return {
    class: isHard ? 'hard-wall' : 'slow-wall',
    sentence: isHard
      ? `Hard wall: ${what}; the next connection is refused.`
      : `Slow wall: ${what}; nothing fails, and each search for a port walks through many that are taken.`,
    evidence: [
      `states: ${statesText(reading)}`,
      ...(turnoverOf(reading, timeWaitSeconds)?.mixed ? paceText(reading, timeWaitSeconds) : []),
      ...chosen(reading),
      ...towards(reading),
    ],
    advice: isHard ? morePorts(reading) : HELD['slow-search'],
  };
}

/**
 * A port that a bind() has is refused to each connect() that leaves the choice to the kernel, on whatever address. bind() begins with the
 * parity that connect() takes last, so it bars others from half of the ports on.
 */
function barredBy({ addresses, capacity, alarms, holder }: DiagnosisInput): { address: string; found: Found } | null {
  const [most] = addresses
    .map((reading) => ({ reading, ports: boundPorts(reading) }))
    .sort((a, b) => b.ports - a.ports);
  if (!most || capacity.ports === 0 || most.ports < alarms.slow * capacity.ports) return null;
  const { reading, ports } = most;
  const victim = addresses.find((each) => each !== reading && connectsItself(each));
  if (!victim) return null;
  const owner = holder(reading.address);
  const who = owner ? `bind() of ${nameOf(owner)}` : 'bind() of a program';
  return {
    address: reading.address,
    found: {
      class: 'poisoned',
      sentence: `Poisoned: ${who} holds ${count(ports)} of ${count(capacity.ports)} ports on ${reading.address}, and each of them is refused to every connect() of this namespace, from any address.`,
      evidence: [
        `states of ${reading.address}: ${statesText(reading)}`,
        ...chosen(reading),
        ...(owner ? [`${nameOf(owner)} has ${heldCount(owner)} sockets of ${reading.address}`] : []),
        `${victim.address} connects without a bind() of its own: to it ${count(Math.max(0, capacity.ports - ports))} ports are left at most`,
      ],
      advice: HELD.barred,
    },
  };
}

/** Whether connect() chooses the ports of an address: with few of them, which may be all that are left, each has the parity that it takes first. */
function connectsItself({ chosenBy, parity: { first, other }, sockets, states }: AddressReading): boolean {
  if (sockets <= (states.CLOSE ?? 0)) return false;
  return chosenBy === 'connect' || (chosenBy === null && first > 0 && first < FEWEST_CHOSEN && other === 0);
}

/** What helps against too few ports, by who chose them. */
function morePorts({ chosenBy }: AddressReading): Advice {
  return HELD[chosenBy === null ? 'closed-by-either' : (`closed-by-${chosenBy}` as const)];
}

/** Ports of an address that surely come from bind(). */
function boundPorts({ chosenBy, parity, states }: AddressReading): number {
  return chosenBy === 'bind' ? parity.first + parity.other : (states.CLOSE ?? 0);
}

function chosen({ chosenBy, parity: { first, other } }: AddressReading): string[] {
  if (chosenBy === null) return [];
  return [
    `the ports were chosen by ${chosenBy === 'bind' ? 'bind() to port 0' : 'connect()'}: ${count(first)} have the parity of the first port of the range, which connect() takes first, and ${count(other)} the other`,
  ];
}

function towards({ largest, sockets }: AddressReading): string[] {
  if (largest === null) return [];
  return [`${count(largest.sockets)} of ${count(sockets)} go to ${formatTarget(largest)}`];
}

function toLargest({ largest, sockets }: AddressReading): string {
  return largest && largest.sockets >= MOST_OF_THEM * sockets ? `, nearly all from ${formatTarget(largest)}` : '';
}

function whatCounts({ wall, largest }: AddressReading): string {
  return wall === 'destination' && largest ? `tuples to ${formatTarget(largest)}` : 'ports';
}

function statesText({ states }: AddressReading): string {
  return Object.entries(states)
    .sort((a, b) => b[1] - a[1])
    .map(([state, n]) => `${state} ${count(n)}`)
    .join(', ');
}

function sum(states: Readonly<Record<string, number>>, names: readonly string[]): number {
  return names.reduce((total, name) => total + (states[name] ?? 0), 0);
}

function nameOf({ command, pid }: Process): string {
  return `${printableWords(command)} (${pid})`;
}

function count(n: number): string {
  return grouped(n);
}

function rate(perSecond: number): string {
  return perSecond >= 10 ? count(Math.round(perSecond)) : perSecond.toFixed(1);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** A duration that was divided out of two counts: two digits of it hold. */
function duration(s: number): string {
  return s < 10 ? `${s.toFixed(1)} s` : s < 600 ? `${count(Math.round(s))} s` : `${count(Math.round(s / 60))} min`;
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`;
}
