/** What became of a guest, from its console, the lines of its init, and the end of its process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGuestState } from '../../../src/lab/vm/guest-state.js';

function guest() {
  let panics = 0;
  let ends = 0;
  const booted: number[] = [];
  const read: number[] = [];
  const console = createGuestState({
    onPanic() {
      panics++;
    },
    onBooted(uptime) {
      booted.push(uptime);
    },
    onRead(total) {
      read.push(total);
    },
    onAgentEnd() {
      ends++;
    },
  });
  return { console, panics: () => panics, ends: () => ends, booted, read };
}

test('a panic is found at once, also when two chunks share it, and is what counts', () => {
  const { console, panics } = guest();
  console.onConsole('Run /init as init process\nKernel panic - not sync');
  assert.equal(panics(), 0);
  console.onConsole('ing: Attempted to kill init! exitcode=0x0000000b\nStack:\n');
  assert.equal(panics(), 1);
  console.onConsole('more\n');
  assert.equal(panics(), 1, 'it is told once');
  console.killed = true;
  assert.equal(console.verdict(null, 'SIGKILL'), 'was killed by SIGSEGV', 'the agent is the first process');
});

test('other panics, and what they say of memory', () => {
  const verdict = (text: string) => {
    const { console } = guest();
    console.onConsole(text);
    return console.verdict(null, 'SIGKILL');
  };
  assert.equal(
    verdict('Kernel panic - not syncing: sysrq triggered crash\n'),
    'was lost: the kernel of the guest panicked (sysrq triggered crash)',
  );
  assert.equal(
    verdict('Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000200\n'),
    'was lost: the kernel of the guest panicked (Attempted to kill init! exitcode=0x00000200)',
  );
  assert.equal(
    verdict('Out of memory and no killable processes...\nKernel panic - not syncing: System is deadlocked on memory\n'),
    'was lost: the kernel of the guest panicked (System is deadlocked on memory), as the guest was out of memory',
  );
});

test('the end of the agent inside the guest', () => {
  const ended = (status: string, text = '') => {
    const { console, ends } = guest();
    console.onConsole(text);
    console.onStatus('booted 1.2\n');
    for (const half of [status.slice(0, 6), status.slice(6)]) console.onStatus(half);
    assert.equal(ends() > 0, true, 'init said so');
    return console.verdict(0, null);
  };
  assert.equal(ended('exit 1\n', 'Error: no\nreboot: Power down\n'), 'ended with code 1: reboot: Power down');
  assert.equal(
    ended('exit 1\n', 'Out of memory: Killed process 700 (node)\n'),
    'ended with code 1, as the guest was out of memory: Out of memory: Killed process 700 (node)',
  );
  assert.equal(
    ended('failed mount failed with ENODEV (/proc)\n'),
    'could not be started in the guest: mount failed with ENODEV (/proc)',
  );
});

test('the boot is over once, and its clock is told', () => {
  const { console, booted } = guest();
  for (const part of ['boo', 'ted 1.', '25\n', 'exit 0\n']) console.onStatus(part);
  assert.deepEqual(booted, [1.25]);
  console.fault = 'its clock is wrong';
  console.killed = true;
  assert.equal(console.verdict(null, 'SIGKILL'), 'was lost: its clock is wrong');
});

test('a guest that ended by itself is told from one that the controller killed', () => {
  const { console } = guest();
  console.onConsole('mem=1M: too small\n');
  assert.equal(console.verdict(1, null), 'was lost: the guest ended with code 1: mem=1M: too small');
  console.killed = true;
  assert.equal(console.verdict(null, 'SIGKILL'), 'was killed by SIGKILL');
});

test('how far it came', () => {
  const { console } = guest();
  assert.match(console.progress(), /has not begun to boot/);
  console.onConsole('devtmpfs: initialized\n');
  assert.match(console.progress(), /still booting: devtmpfs: initialized/);
  console.onStatus('booted 1.2\n');
  assert.match(console.progress(), /its agent does not answer/);
});

test('the end of the console is kept', () => {
  const { console } = guest();
  for (let i = 0; i < 1000; i++) console.onConsole(`line ${i} ${'x'.repeat(50)}\n`);
  assert.ok(console.text().length <= 8000);
  assert.match(console.text(), /line 999/);
});

test('what the guest has read of its input is told, also when two chunks share the line', () => {
  const { console, read, booted } = guest();
  console.onStatus('booted 1.2\nread 10\nread 2');
  console.onStatus('0\n');
  assert.deepEqual([read, booted], [[10, 20], [1.2]]);
});
