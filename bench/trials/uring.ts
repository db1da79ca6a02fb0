/**
 * A trial, not a contender: is io_uring cheaper than system calls one by one where the caller is JavaScript, for whom each way into C
 * costs extra (uring.c asks the same of C)?
 *
 *     npm run build && node dist/bench/trials/uring.js [ROUNDS: 6] [CONNECTIONS: 60000]
 *
 * plain        socket, bind, connect, connect again, close: each a call through src/kernel/libc.ts, as the socket engine makes them
 * ring         the same as chains of linked requests with direct descriptors, 64 chains an io_uring_enter(2); only the end of a chain is told
 * ring, told   every request of a chain posts its own completion, which the engine would need to say which phase failed
 *
 * Each in a lab of its own, in turn. Prints CPU microseconds of the thread per connection. Needs Linux 6.11 (IORING_OP_BIND).
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

const MODES = ['plain', 'ring', 'ring, told'] as const;
type Mode = (typeof MODES)[number];

interface Trial {
  readonly mode: Mode;
  readonly attempts: number;
}

interface Answer {
  readonly ok: number;
  readonly failed: number;
  /** CPU seconds of the thread, the first third aside. */
  readonly cpu: number;
  readonly timed: number;
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

interface Ring {
  /** Make so many chains and wait for their ends. */
  turn(chains: number): void;
}

function createRing(
  sources: SockaddrTable,
  remotes: SockaddrTable,
  told: boolean,
  ended: (errno: number) => void,
): Ring {
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
  const address = (offset: number, value: number) => {
    sqes.view.setUint32(offset, value % 2 ** 32, true);
    sqes.view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
  };
  return {
    turn(chains) {
      for (let slot = 0; slot < chains; slot++) {
        address((slot * LINKS + 1) * SQE + 16, sockaddrAt(sources, next % sources.count));
        address((slot * LINKS + 2) * SQE + 16, sockaddrAt(remotes, Math.floor(next / sources.count) % remotes.count));
        next++;
      }
      words[sqTail] = (words[sqTail]! + chains * LINKS) | 0;
      const expected = told ? chains * LINKS : chains;
      let left = chains;
      let submit = chains * LINKS;
      while (left > 0) {
        if (libc.syscall5(SYS_IO_URING_ENTER, fd, submit, expected, ENTER_GETEVENTS, 0) < 0)
          throw new Error(`io_uring_enter: errno ${libc.errno()}`);
        submit = 0;
        let head = words[cqHead]!;
        for (const tail = words[cqTail]!; head !== tail; head = (head + 1) | 0) {
          const cqe = cqes + ((head & mask) * CQE) / 4;
          const result = words[cqe + 2]!;
          if (words[cqe] === 4) {
            left--;
            if (result === 0) ended(0);
          }
          if (result < 0) ended(-result);
        }
        words[cqHead] = head;
      }
    },
  };
}

function plainTurn(sources: SockaddrTable, remotes: SockaddrTable, ended: (errno: number) => void): Ring {
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

async function inside({ mode, attempts }: Trial): Promise<Answer> {
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
  let [ok, failed] = [0, 0];
  const ended = (errno: number) => {
    if (errno === 0) ok++;
    else failed++;
  };
  const ring =
    mode === 'plain' ? plainTurn(sources, remotes, ended) : createRing(sources, remotes, mode === 'ring, told', ended);
  const cpu = () => {
    const { user, system } = libc.threadCpu();
    return user + system;
  };
  const warm = Math.floor(attempts / 3 / CHAINS) * CHAINS;
  for (let done = 0; done < warm; done += CHAINS) ring.turn(CHAINS);
  const before = cpu();
  let timed = 0;
  for (; timed < attempts - warm; timed += CHAINS) ring.turn(CHAINS);
  return { ok, failed, cpu: cpu() - before, timed };
}

function outside(rounds: number, attempts: number): void {
  const found = new Map<Mode, number[]>(MODES.map((mode) => [mode, []]));
  const self = fileURLToPath(import.meta.url);
  for (let round = 0; round < rounds; round++)
    for (const mode of MODES) {
      const [program, ...args] = netnsCommand(
        [process.execPath, self, JSON.stringify({ mode, attempts })],
        process.getuid?.() === 0,
      );
      const text = execFileSync(program!, args, { encoding: 'utf8', timeout: 120_000, killSignal: 'SIGKILL' });
      const { ok, failed, cpu, timed } = JSON.parse(text) as Answer;
      if (failed > 0 || ok < timed) throw new Error(`${mode}: ${ok} ok, ${failed} failed`);
      found.get(mode)!.push((cpu / timed) * 1e6);
    }
  for (const [mode, all] of found) {
    const sorted = all.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)]!;
    console.log(
      `${mode}: ${median.toFixed(2)} µs of CPU a connection (${sorted[0]!.toFixed(2)}–${sorted.at(-1)!.toFixed(2)}, ${rounds} rounds)`,
    );
  }
}

const [first = '6', second = '60000'] = process.argv.slice(2);
if (first.startsWith('{')) {
  if (!libc.dieWithParent(process.ppid)) process.exit(1);
  console.log(JSON.stringify(await inside(JSON.parse(first) as Trial)));
  process.exit(0);
}
outside(Number(first), Number(second));
