/** What became of a guest, from its console, the lines of its init, and the end of its process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGuestState } from '../../../src/lab/vm/guest-state.js';

function guest() {
  let panics = 0;
  let ends = 0;
  const console = createGuestState({
    onPanic() {
      panics++;
    },
    onAgentEnd() {
      ends++;
    },
  });
  return { console, panics: () => panics, ends: () => ends };
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
  assert.equal(
    console.verdict(null, 'SIGKILL'),
    'was lost: the kernel of the guest panicked (Attempted to kill init! exitcode=0x0000000b)',
  );
});

test('the end of the agent inside the guest', () => {
  const ended = (status: string, text = '') => {
    const { console } = guest();
    console.onConsole(text);
    console.onStatus('booted 0.1 1.2\n');
    console.onStatus(status);
    return console.verdict(0, null);
  };
  assert.equal(ended('exit 1\n', 'Error: no\nreboot: Power down\n'), 'ended with code 1: reboot: Power down');
  assert.equal(ended('killed SIGKILL\n'), 'was killed by SIGKILL');
  assert.equal(
    ended('killed SIGKILL\n', 'Out of memory: Killed process 700 (node)\n'),
    'was killed by SIGKILL, as the guest was out of memory',
  );
  assert.equal(ended('failed spawn /bin/node ENOENT\n'), 'could not be started in the guest: spawn /bin/node ENOENT');
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
  console.onStatus('booted 0.1 1.2\n');
  assert.match(console.progress(), /its agent does not answer/);
});

test('the end of the console is kept', () => {
  const { console } = guest();
  for (let i = 0; i < 1000; i++) console.onConsole(`line ${i} ${'x'.repeat(50)}\n`);
  assert.ok(console.text().length <= 8000);
  assert.match(console.text(), /line 999/);
});
