/**
 * A trial, not a contender: is io_uring cheaper than system calls one by one where the caller is JavaScript, for whom each way into C
 * costs extra (uring.c asks the same of C)?
 *
 *     npm run build && node dist/bench/trials/uring.js [ROUNDS: 6] [CONNECTIONS: 48000] [PROGRAM: uring.c, compiled]
 *
 * plain        socket, bind, connect, connect again, close: each a call through src/kernel/libc.ts, as the socket engine makes them
 * ring         the same as chains of linked requests with direct descriptors, 64 chains an io_uring_enter(2); only the end of a chain is told
 * ring, told   every request of a chain posts its own completion, which the engine would need to say which phase failed
 * ring, timed  an attempt by two io_uring_enter(2), socket and bind in one, connect in the other, with the clock read before, between and
 *              after them; closes go along with the next. What an engine that says how long each phase took would do
 * C            uring.c, where its compiled program is given
 *
 * Each in a lab of its own, in turn. Prints CPU microseconds of the process per connection, and those of the clock. Needs Linux 6.11 (IORING_OP_BIND).
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { originTargets, setUpClient } from '../../src/agent/place/network.js';
import { launchOrigin } from '../../src/agent/roles/launch.js';
import { connectOrigin } from '../../src/agent/roles/origin-client.js';
import { EALREADY, EINPROGRESS } from '../../src/kernel/errno.js';
import * as libc from '../../src/kernel/libc.js';
import { type SockaddrTable, sockaddrAt, sockaddrTable } from '../../src/kernel/sockaddr.js';
import { writeSysctl } from '../../src/kernel/sysctl.js';
import { netnsCommand } from '../../src/lab/netns.js';
import { LOAD } from '../../src/plan/load-settings.js';

const MODES = ['plain', 'ring', 'ring, told', 'ring, timed', 'C, plain', 'C, ring'] as const;
type Mode = (typeof MODES)[number];

interface Trial {
  readonly mode: Mode;
  readonly attempts: number;
  /** uring.c, compiled. */
  readonly program: string | null;
}

/** Of the C program its whole life is timed, which begins with no JavaScript to compile. */
interface Answer {
  readonly ok: number;
  readonly failed: number;
  /** CPU seconds of the process and of the kernel's threads for it, the first third aside. */
  readonly cpu: number;
  readonly timed: number;
  readonly seconds: number;
}

/** Attempts between two looks at the clock, and chains of one io_uring_enter(2). */
const CHAINS = 64;
const LINKS = 4;
const PAGE = 4096;

// include/uapi/linux/io_uring.h
const SYS_IO_URING_SETUP = 425;
const SYS_IO_URING_ENTER = 426;
const SYS_IO_URING_REGISTER = 427;
const SETUP_SINGLE_ISSUER = 1 << 12;
const SETUP_DEFER_TASKRUN = 1 << 13;
const SETUP_NO_MMAP = 1 << 14;
const SETUP_NO_SQARRAY = 1 << 16;
const ENTER_GETEVENTS = 1;
const REGISTER_FILES2 = 13;
const RSRC_REGISTER_SPARSE = 1;
const OP = { connect: 16, close: 19, socket: 45, bind: 56 } as const;
const FIXED_FILE = 1;
const LINK = 4;
const HARDLINK = 8;
const SKIP_SUCCESS = 64;
const SQE = 64;
const CQE = 16;

const UNDER_WAY: readonly number[] = [EINPROGRESS, EALREADY];

/** Memory at the begin of a page. */
function pages(size: number): libc.NativeBuffer {
  const whole = libc.nativeBuffer(size + PAGE);
  const shift = (PAGE - (whole.address % PAGE)) % PAGE;
  const bytes = new Uint8Array(whole.bytes.buffer, shift, size);
  return { address: whole.address + shift, bytes, view: new DataView(whole.bytes.buffer, shift, size) };
}

interface Turns {
  /** Make so many connections and wait for their ends. */
  turn(chains: number): void;
}

interface Ring {
  readonly sqes: libc.NativeBuffer;
  /** Submit so many requests and wait until so many completions are there; `each` gets the data of a request and its result. */
  enter(submit: number, wait: number, each: (data: number, result: number) => void): void;
}

function createRing(): Ring {
  const entries = CHAINS * LINKS;
  const sqes = pages(entries * SQE);
  const rings = pages(2 * entries * CQE + PAGE);
  const params = libc.nativeBuffer(120);
  params.view.setUint32(8, SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN | SETUP_NO_MMAP | SETUP_NO_SQARRAY, true);
  params.view.setBigUint64(72, BigInt(sqes.address), true);
  params.view.setBigUint64(112, BigInt(rings.address), true);
  const fd = libc.syscall(SYS_IO_URING_SETUP, entries, params.address, 0);
  if (fd < 0) throw new Error(`io_uring_setup: errno ${libc.errno()}`);
  const register = libc.nativeBuffer(32);
  register.view.setUint32(0, CHAINS, true);
  register.view.setUint32(4, RSRC_REGISTER_SPARSE, true);
  if (libc.syscall5(SYS_IO_URING_REGISTER, fd, REGISTER_FILES2, register.address, 32, 0) < 0)
    throw new Error(`io_uring_register: errno ${libc.errno()}`);
  const words = new Int32Array(rings.bytes.buffer, rings.bytes.byteOffset, rings.bytes.length / 4);
  const at = (offset: number) => params.view.getUint32(offset, true) / 4;
  const [sqTail, cqHead, cqTail, cqes] = [at(44), at(80), at(84), at(100)];
  const mask = words[at(88)]!;
  return {
    sqes,
    enter(submit, wait, each) {
      words[sqTail] = (words[sqTail]! + submit) | 0;
      if (libc.syscall5(SYS_IO_URING_ENTER, fd, submit, wait, ENTER_GETEVENTS, 0) < 0)
        throw new Error(`io_uring_enter: errno ${libc.errno()}`);
      let head = words[cqHead]!;
      for (const tail = words[cqTail]!; head !== tail; head = (head + 1) | 0) {
        const cqe = cqes + ((head & mask) * CQE) / 4;
        each(words[cqe]!, words[cqe + 2]!);
      }
      words[cqHead] = head;
    },
  };
}

type Ended = (errno: number) => void;

function chainTurns(sources: SockaddrTable, remotes: SockaddrTable, told: boolean, ended: Ended): Turns {
  const { sqes, enter } = createRing();
  // Everything but the addresses stays as it is from turn to turn.
  const quiet = told ? 0 : SKIP_SUCCESS;
  for (let slot = 0; slot < CHAINS; slot++) {
    const fill = (link: number, opcode: number, flags: number, file: number, length: number, data: number) => {
      const offset = (slot * LINKS + link) * SQE;
      sqes.view.setUint8(offset, opcode);
      sqes.view.setUint8(offset + 1, flags);
      sqes.view.setInt32(offset + 4, file, true);
      sqes.view.setBigUint64(offset + 8, BigInt(length), true);
      sqes.view.setBigUint64(offset + 32, BigInt(data), true);
    };
    fill(0, OP.socket, LINK | quiet, libc.AF_INET, libc.SOCK_STREAM, 1);
    sqes.view.setUint32(slot * LINKS * SQE + 44, slot + 1, true);
    fill(1, OP.bind, FIXED_FILE | LINK | quiet, slot, sources.length, 2);
    // A connect that fails must not keep the close from being made.
    fill(2, OP.connect, FIXED_FILE | HARDLINK | quiet, slot, remotes.length, 3);
    fill(3, OP.close, 0, 0, 0, 4);
    sqes.view.setUint32((slot * LINKS + 3) * SQE + 44, slot + 1, true);
  }
  let next = 0;
  let left = 0;
  const address = (offset: number, value: number) => {
    sqes.view.setUint32(offset, value % 2 ** 32, true);
    sqes.view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
  };
  const each = (data: number, result: number) => {
    if (data === 4) {
      left--;
      if (result === 0) ended(0);
    }
    if (result < 0) ended(-result);
  };
  return {
    turn(chains) {
      for (let slot = 0; slot < chains; slot++) {
        address((slot * LINKS + 1) * SQE + 16, sockaddrAt(sources, next % sources.count));
        address((slot * LINKS + 2) * SQE + 16, sockaddrAt(remotes, Math.floor(next / sources.count) % remotes.count));
        next++;
      }
      left = chains;
      enter(chains * LINKS, told ? chains * LINKS : chains, each);
      while (left > 0) enter(0, 1, each);
    },
  };
}

/** One attempt after the other: the clock is read where the engine reads it, so a phase has its time as well as its errno. */
function timedTurns(sources: SockaddrTable, remotes: SockaddrTable, ended: Ended): Turns {
  const { sqes, enter } = createRing();
  const words = new Uint32Array(sqes.bytes.buffer, sqes.bytes.byteOffset, sqes.bytes.length / 4);
  const free = Array.from({ length: CHAINS }, (_, slot) => slot);
  const toClose: number[] = [];
  const times = new Float64Array(4);
  let [tail, next, open, failure] = [0, 0, 0, 0];
  const push = (
    opcode: number,
    flags: number,
    file: number,
    length: number,
    pointer: number,
    slot: number,
    data: number,
  ) => {
    const at = ((tail++ % (CHAINS * LINKS)) * SQE) / 4;
    words[at] = opcode | (flags << 8);
    words[at + 1] = file;
    words[at + 2] = length;
    words[at + 4] = pointer % 2 ** 32;
    words[at + 5] = Math.floor(pointer / 2 ** 32);
    words[at + 8] = data;
    words[at + 11] = slot;
  };
  const each = (data: number, result: number) => {
    const slot = data >> 3;
    if ((data & 7) === 4) free.push(slot);
    else if ((data & 7) === 3) {
      times[2] = libc.monotonicMicros();
      ended(-result);
      open--;
      toClose.push(slot);
    } else if (result < 0) failure = -result;
  };
  const closes = () => {
    const count = toClose.length;
    for (let slot = toClose.pop(); slot !== undefined; slot = toClose.pop())
      push(OP.close, 0, 0, 0, 0, slot + 1, (slot << 3) | 4);
    return count;
  };
  return {
    turn(attempts) {
      for (let i = 0; i < attempts; i++) {
        while (free.length === 0) enter(closes(), 1, each);
        const slot = free.pop()!;
        times[0] = libc.monotonicMicros();
        push(OP.socket, LINK | SKIP_SUCCESS, libc.AF_INET, libc.SOCK_STREAM, 0, slot + 1, (slot << 3) | 1);
        push(
          OP.bind,
          FIXED_FILE | SKIP_SUCCESS,
          slot,
          sources.length,
          sockaddrAt(sources, next % sources.count),
          0,
          (slot << 3) | 2,
        );
        failure = 0;
        enter(2 + closes(), 0, each);
        times[1] = libc.monotonicMicros();
        if (failure !== 0) throw new Error(`bind: errno ${failure}`);
        const remote = sockaddrAt(remotes, Math.floor(next++ / sources.count) % remotes.count);
        push(OP.connect, FIXED_FILE, slot, remotes.length, remote, 0, (slot << 3) | 3);
        open++;
        enter(1, 0, each);
      }
      while (open > 0) enter(closes(), 1, each);
    },
  };
}

function plainTurns(sources: SockaddrTable, remotes: SockaddrTable, ended: Ended): Turns {
  let next = 0;
  return {
    turn(chains) {
      for (let i = 0; i < chains; i++) {
        const fd = libc.socket(libc.AF_INET, libc.SOCK_STREAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0);
        const remote = sockaddrAt(remotes, Math.floor(next / sources.count) % remotes.count);
        const bound = libc.bind(fd, sockaddrAt(sources, next++ % sources.count), sources.length);
        // As the engine does: within one machine the handshake is over by the second call, nearly always.
        let result = bound < 0 ? bound : libc.connect(fd, remote, remotes.length);
        while (bound === 0 && result < 0 && UNDER_WAY.includes(libc.errno()))
          result = libc.connect(fd, remote, remotes.length);
        ended(result < 0 ? libc.errno() : 0);
        libc.close(fd);
      }
    },
  };
}

async function inside({ mode, attempts, program }: Trial): Promise<Answer> {
  for (const [name, value] of [
    ['net.ipv4.ip_local_port_range', '1024 65535'],
    ['net.ipv4.tcp_max_tw_buckets', '4000000'],
    ['net.ipv4.tcp_rfc1337', '1'],
  ] as const)
    writeSysctl(name, value);
  const addresses = Array.from({ length: 16 }, (_, i) => `10.50.0.${i + 1}`);
  const targets = originTargets(4, false, 4, 4);
  const origin = await connectOrigin(launchOrigin(true));
  setUpClient(addresses, 4, origin.pid);
  const hosts = [{ listen: targets, threads: 1, plan: { ...LOAD, sink: 'listen-only' as const } }];
  await origin.serve({ network: 'veth', family: 4, hosts, neighbours: [] });
  const sources = sockaddrTable(addresses.map((address) => ({ address, port: 0 })));
  const remotes = sockaddrTable(targets);
  if (mode.startsWith('C,')) {
    const begin = libc.monotonicMicros();
    const args = [mode.slice(3), String(attempts), addresses[0]!, targets[0]!.address, String(targets[0]!.port)];
    const said = execFileSync(program!, args, { encoding: 'utf8' }).match(
      /(\d+) ok, (\d+) failed, user ([\d.]+) s, system ([\d.]+) s/,
    );
    const [ok, failed, user, system] = said!.slice(1).map(Number);
    return {
      ok: ok!,
      failed: failed!,
      cpu: user! + system!,
      timed: attempts,
      seconds: (libc.monotonicMicros() - begin) / 1e6,
    };
  }
  let [ok, failed] = [0, 0];
  const ended = (errno: number) => {
    if (errno === 0) ok++;
    else failed++;
  };
  const turns = {
    plain: () => plainTurns(sources, remotes, ended),
    ring: () => chainTurns(sources, remotes, false, ended),
    'ring, told': () => chainTurns(sources, remotes, true, ended),
    'ring, timed': () => timedTurns(sources, remotes, ended),
  }[mode as Exclude<Mode, `C, ${string}`>]();
  // Of the whole process: what io_uring leaves to threads of the kernel counts (iou-wrk, man io_uring(7)).
  const cpu = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  const warm = Math.floor(attempts / 3 / CHAINS) * CHAINS;
  for (let done = 0; done < warm; done += CHAINS) turns.turn(CHAINS);
  const before = cpu();
  const begin = libc.monotonicMicros();
  let timed = 0;
  for (; timed < attempts - warm; timed += CHAINS) turns.turn(CHAINS);
  return { ok, failed, cpu: cpu() - before, timed, seconds: (libc.monotonicMicros() - begin) / 1e6 };
}

const spread = (all: readonly number[]) => {
  const sorted = all.toSorted((a, b) => a - b);
  return `${sorted[Math.floor(sorted.length / 2)]!.toFixed(2)} (${sorted[0]!.toFixed(2)}–${sorted.at(-1)!.toFixed(2)})`;
};

function outside(rounds: number, attempts: number, compiled: string | null): void {
  const found = MODES.filter((mode) => compiled !== null || !mode.startsWith('C,')).map((mode) => ({
    mode,
    cpu: [] as number[],
    clock: [] as number[],
  }));
  const self = fileURLToPath(import.meta.url);
  for (let round = 0; round < rounds; round++)
    for (const { mode, cpu, clock } of found) {
      const job = JSON.stringify({ mode, attempts, program: compiled });
      const [program, ...args] = netnsCommand([process.execPath, self, job], process.getuid?.() === 0);
      const text = execFileSync(program!, args, { encoding: 'utf8', timeout: 120_000, killSignal: 'SIGKILL' });
      const answer = JSON.parse(text) as Answer;
      if (answer.failed > 0 || answer.ok < attempts)
        throw new Error(`${mode}: ${answer.ok} ok, ${answer.failed} failed`);
      cpu.push((answer.cpu / answer.timed) * 1e6);
      clock.push((answer.seconds / answer.timed) * 1e6);
    }
  for (const { mode, cpu, clock } of found)
    console.log(`${mode}: ${spread(cpu)} µs of CPU a connection, ${spread(clock)} µs by the clock, ${rounds} rounds`);
}

const [first = '6', second = '48000', third = null] = process.argv.slice(2);
if (first.startsWith('{')) {
  if (!libc.dieWithParent(process.ppid)) process.exit(1);
  console.log(JSON.stringify(await inside(JSON.parse(first) as Trial)));
  process.exit(0);
}
outside(Number(first), Number(second), third);
