import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IMAGE_NEEDS, whatIsMissing } from '../../../src/lab/vm/requirements.js';

test('what an image lacks, from what it said', () => {
  assert.match(whatIsMissing('', 'no answer')!, /said nothing: SERIAL_8250_CONSOLE/);
  assert.match(
    whatIsMissing('Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)', '')!,
    /BLK_DEV_INITRD/,
  );
  assert.match(whatIsMissing('Failed to execute /init (error -8)\nKernel panic', '')!, /BINFMT_ELF or 64BIT/);
  assert.match(
    whatIsMissing('Run /init', "could not be started in the guest: EIO: i/o error, open '/dev/ttyS2'")!,
    /fewer than three serial ports/,
  );
  assert.match(whatIsMissing('FATAL: kernel too old', '')!, /older than what the C library/);
  assert.equal(whatIsMissing('Run /init as init process', 'was killed by SIGSEGV'), null);
  assert.match(IMAGE_NEEDS, /BLK_DEV_INITRD.*SERIAL_8250.*VETH/);
});
