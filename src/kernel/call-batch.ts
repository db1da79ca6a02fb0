/**
 * System calls in a row by one call of FFI. A call by koffi costs half a microsecond and more before it is in the kernel, and what glibc does for a
 * thread that may be cancelled (pthreads(7), cancellation points) comes on top; a short-lived connection needs five to nine calls. So they are written
 * into memory once, as entries, of which an attempt changes an address or two, and a loop in machine code makes them (call-batch.s): on x86-64, where
 * memory may become executable. Elsewhere each is a call of the C library, with the same results.
 */
import * as libc from './libc.js';

/** The calls that an entry can be, with their numbers on x86-64 (arch/x86/entry/syscalls/syscall_64.tbl). recv(2) is recvfrom(2) without an address. */
const CALLS = {
  close: { number: 3, byLibrary: libc.close as LibraryCall },
  socket: { number: 41, byLibrary: libc.socket as LibraryCall },
  connect: { number: 42, byLibrary: libc.connect as LibraryCall },
  sendto: { number: 44, byLibrary: libc.sendto as LibraryCall },
  recv: { number: 45, byLibrary: libc.recv as LibraryCall },
  bind: { number: 49, byLibrary: libc.bind as LibraryCall },
  setsockopt: { number: 54, byLibrary: libc.setsockopt as LibraryCall },
} as const;

type LibraryCall = (...args: readonly number[]) => number;
type CallName = keyof typeof CALLS;

/** What is assembled from call-batch.s. */
export const LOOP =
  'f30f1efa53415441554989fd4889f34989d44c39e37341488b7b08488b73108b4340a802753e488b53184c8b53204c8b43284c8b4b30a8017404498b7d38488b' +
  '030f05488943384885c0781c483b43507f064883c360ebba4889d84c29e8415d415c5bc3ff13ebea483b434874e4ebe8';

/** Words of eight bytes of an entry, and which is what: call-batch.s says more. */
const WORDS = 12;
const BYTES = 8 * WORDS;
const ARGUMENTS = 1;
const RESULT = 7;
const BITS = 8;
const ALSO = 9;
const MOST = 10;
const OF_FIRST = 1;
const IS_CLOCK = 2;

/** What may follow a call. */
interface EntryOptions {
  /** The errno that does not end the batch, beside success, as EINPROGRESS. */
  readonly also?: number;
  /** A result above this ends the batch too. */
  readonly most?: number;
}

/** Calls that are made in a row. An entry is known by its place, from 0. */
export interface CallBatch {
  /** Entries so far. */
  readonly size: number;
  /**
   * Append a call, `batch.add('connect', [FIRST, address, 16], { also: EINPROGRESS })`.
   * @param args integers, or memory, which then lives as long as the batch; FIRST as the first of them: what the first entry returned
   * @returns its place
   */
  add(call: CallName, args: readonly (number | libc.NativeBuffer)[], options?: EntryOptions): number;
  /** Append a reading of CLOCK_MONOTONIC. @returns its place */
  addClock(): number;
  /** Change an argument of a call. @param argument from 0 */
  setArgument(entry: number, argument: number, value: number): void;
  /**
   * Make the calls from an entry on, up to another, which is not made.
   * @returns the place of the entry that ended it; `to` where all were made
   */
  run(from: number, to: number): number;
  /** What a call returned; −errno when it failed. */
  result(entry: number): number;
  /** What a clock showed, µs. */
  micros(entry: number): number;
}

/** Of an argument: what the first entry returned. */
export const FIRST = -1;

type Loop = (entries: number, from: number, to: number) => number;

/** Machine code for all batches of this thread; null: not here. */
let loop: Loop | null | undefined;
let clockAt = 0;

function loopHere(): Loop | null {
  if (loop !== undefined) return loop;
  clockAt = process.arch === 'x64' ? libc.functionAt('clock_gettime') : 0;
  loop = clockAt > 0 ? libc.machineCode(Buffer.from(LOOP, 'hex')) : null;
  return loop;
}

/**
 * A batch without entries.
 * @param most entries that it has room for
 * @param byLibrary each call by the C library, also where machine code is possible
 */
export function createCallBatch(most: number, byLibrary = false): CallBatch {
  const memory = libc.nativeBuffer(BYTES * most);
  const ints = new Int32Array(memory.bytes.buffer);
  /** By entry, for the C library: the call, null: a clock; and its arguments. */
  const calls: (LibraryCall | null)[] = [];
  const argumentsOf: number[][] = [];
  const kept: libc.NativeBuffer[] = [];
  const here = byLibrary ? null : loopHere();
  let size = 0;

  const at = (entry: number, word: number) => 2 * (WORDS * entry + word);
  function setWord(entry: number, word: number, value: number): void {
    const place = at(entry, word);
    ints[place] = value | 0;
    ints[place + 1] = Math.floor(value / 2 ** 32);
  }
  const wordOf = (place: number) => ints[place + 1]! * 2 ** 32 + (ints[place]! >>> 0);

  function begin(): number {
    if (size === most) throw new RangeError(`a batch for ${most} calls is full`);
    return size++;
  }

  /** As the loop in machine code does. */
  function runByLibrary(from: number, to: number): number {
    for (let entry = from; entry < to; entry++) {
      const call = calls[entry]!;
      if (call === null) {
        libc.clockGettime(libc.CLOCK_MONOTONIC, memory.address + 8 * (WORDS * entry + ALSO));
        continue;
      }
      const args = argumentsOf[entry]!;
      if ((ints[at(entry, BITS)]! & OF_FIRST) !== 0) args[0] = ints[at(0, RESULT)]!;
      const returned = call(...args);
      const result = returned < 0 ? -libc.errno() : returned;
      setWord(entry, RESULT, result);
      if (result < 0 ? result !== ints[at(entry, ALSO)]! : result > wordOf(at(entry, MOST))) return entry;
    }
    return to;
  }

  return {
    get size() {
      return size;
    },
    add(call, args, { also = 0, most: highest = Number.MAX_SAFE_INTEGER } = {}) {
      const entry = begin();
      calls[entry] = CALLS[call].byLibrary;
      const numbers = args.map((each) => (typeof each === 'number' ? each : each.address));
      kept.push(...args.filter((each) => typeof each !== 'number'));
      argumentsOf[entry] = numbers;
      setWord(entry, 0, CALLS[call].number);
      for (const [i, value] of numbers.entries()) setWord(entry, ARGUMENTS + i, value);
      setWord(entry, BITS, args[0] === FIRST ? OF_FIRST : 0);
      setWord(entry, ALSO, -also);
      setWord(entry, MOST, highest);
      return entry;
    },
    addClock() {
      const entry = begin();
      calls[entry] = null;
      argumentsOf[entry] = [];
      setWord(entry, 0, clockAt);
      setWord(entry, ARGUMENTS, libc.CLOCK_MONOTONIC);
      setWord(entry, ARGUMENTS + 1, memory.address + 8 * (WORDS * entry + ALSO));
      setWord(entry, BITS, IS_CLOCK);
      return entry;
    },
    setArgument(entry, argument, value) {
      argumentsOf[entry]![argument] = value;
      setWord(entry, ARGUMENTS + argument, value);
    },
    run(from, to) {
      if (here === null) return runByLibrary(from, to);
      return here(memory.address, memory.address + BYTES * from, memory.address + BYTES * to) / BYTES;
    },
    result: (entry) => ints[at(entry, RESULT)]!,
    micros: (entry) => ints[at(entry, ALSO)]! * 1e6 + ints[at(entry, ALSO) + 2]! / 1e3,
  };
}
