import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { type BriefEpoll, createBriefEpoll } from '../../src/kernel/brief-epoll.js';
import * as libc from '../../src/kernel/libc.js';
import { sockaddrAt, sockaddrTable } from '../../src/kernel/sockaddr.js';

const DESCRIPTORS = 4096;
/** Looks before a descriptor is left to the epoll, and descriptors of one look. */
const LOOKS = 16;
const ROOM = 256;
const byte = libc.nativeBuffer(16);
const opened: number[] = [];

/** A UDP socket that is connected to itself: what it sends it can receive. */
function loop(): number {
  const fd = libc.socket(libc.AF_INET, libc.SOCK_DGRAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0);
  const any = sockaddrTable([{ address: '127.0.0.1', port: 0 }]);
  assert.equal(libc.bind(fd, sockaddrAt(any, 0), any.length), 0);
  const own = libc.nativeBuffer(16);
  const length = libc.nativeBuffer(16);
  length.view.setUint32(0, 16, true);
  assert.equal(libc.getsockname(fd, own.address, length.address), 0);
  assert.equal(libc.connect(fd, own.address, 16), 0);
  opened.push(fd);
  return fd;
}

const send = (fd: number) => assert.equal(libc.send(fd, byte.address, 1, 0), 1);

/** The descriptors of the events of one wait, in order of their numbers. */
function heard(epoll: BriefEpoll, micros = 0): number[] {
  const found = Array.from({ length: epoll.wait(micros) }, (_, i) => epoll.fdAt(i));
  return found.sort((a, b) => a - b);
}

describe('an epoll with descriptors that are watched briefly', () => {
  let epoll = createBriefEpoll(64, DESCRIPTORS);
  afterEach(() => {
    for (const fd of opened.splice(0)) libc.close(fd);
    epoll.close();
    epoll = createBriefEpoll(64, DESCRIPTORS);
  });

  it('tells of them beside those of the epoll itself, with their events', () => {
    const [brief, silent, long] = [loop(), loop(), loop()];
    epoll.addBriefly(brief, libc.EPOLLIN);
    epoll.addBriefly(silent, libc.EPOLLIN);
    epoll.add(long, libc.EPOLLIN);
    assert.deepEqual(heard(epoll), []);
    send(brief);
    send(long);
    assert.deepEqual(heard(epoll, 1e6), [brief, long]);
    assert.ok([0, 1].every((i) => epoll.eventsAt(i) === libc.EPOLLIN));
  });

  it('tells of none that was forgotten, and of a new one with its number', () => {
    const fds = [loop(), loop(), loop()];
    for (const fd of fds) epoll.addBriefly(fd, libc.EPOLLIN);
    for (const fd of fds) send(fd);
    epoll.forget(fds[0]!);
    assert.deepEqual(heard(epoll), fds.slice(1));
    for (const fd of fds) epoll.forget(fd);
    assert.deepEqual(heard(epoll), []);
    epoll.addBriefly(fds[0]!, libc.EPOLLIN);
    assert.deepEqual(heard(epoll), [fds[0]]);
  });

  it('goes on telling of those that it has left to the epoll, once each', () => {
    const fds = [loop(), loop()];
    for (const fd of fds) epoll.addBriefly(fd, libc.EPOLLIN);
    for (let look = 0; look < 2 * LOOKS; look++) assert.deepEqual(heard(epoll), []);
    send(fds[1]!);
    for (let look = 0; look < 2 * LOOKS; look++) assert.deepEqual(heard(epoll), [fds[1]]);
    // Closed, it leaves the epoll by itself.
    epoll.forget(fds[1]!);
    assert.deepEqual(heard(epoll), [fds[1]]);
  });

  it('tells of one in each look until it is taken, also when that look is its last', () => {
    const fd = loop();
    epoll.addBriefly(fd, libc.EPOLLIN);
    send(fd);
    for (let look = 0; look < 3 * LOOKS; look++) assert.deepEqual(heard(epoll).slice(0, 1), [fd]);
  });

  it('has no fewer than asked for: what it has no room for is the epoll’s', () => {
    const big = createBriefEpoll(2 * ROOM, DESCRIPTORS);
    const fds = Array.from({ length: ROOM + 40 }, loop);
    for (const fd of fds) big.addBriefly(fd, libc.EPOLLIN);
    for (const fd of fds) send(fd);
    assert.deepEqual(heard(big), fds);
    big.close();
  });

  it('does not look for a while at those that come when fewer had an answer than looks are worth', () => {
    const silent = Array.from({ length: ROOM }, loop);
    for (const fd of silent) epoll.addBriefly(fd, libc.EPOLLIN);
    for (let look = 0; look < LOOKS; look++) epoll.wait(0);
    const late = loop();
    epoll.addBriefly(late, libc.EPOLLIN);
    send(late);
    assert.deepEqual(heard(epoll), [late]);
    // In the epoll: it is not forgotten.
    epoll.forget(late);
    assert.deepEqual(heard(epoll), [late]);
  });

  it('waits as long as it is told when nothing comes', () => {
    epoll.addBriefly(loop(), libc.EPOLLIN);
    const before = libc.monotonicMicros();
    assert.deepEqual(heard(epoll, 20_000), []);
    assert.ok(libc.monotonicMicros() - before >= 20_000);
  });
});
