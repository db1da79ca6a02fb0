import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { LabError } from '../../../src/lab/lab.js';
import { boxRecords, claim, dropRecord, leftRecords, recordOf, writeRecord } from '../../../src/lab/vagrant/record.js';
import { scratchFolder } from '../../support/cli.js';

const place = { folder: '/vagrant', dotfile: null };
const saved = process.env.XDG_STATE_HOME;
let state: string;

beforeEach((t) => {
  state = scratchFolder(t as unknown as { after(work: () => void): void });
  process.env.XDG_STATE_HOME = state;
});
afterEach(() => {
  if (saved === undefined) delete process.env.XDG_STATE_HOME;
  else process.env.XDG_STATE_HOME = saved;
});

const files = () => readdirSync(join(state, 'bindstorm', 'boxes'));

describe('the record of a box', () => {
  it('is there from the claim on, and says what is to become of it', () => {
    const record = claim('trixie', place, 'revert', false);
    assert.deepEqual(boxRecords(), [record]);
    assert.deepEqual(recordOf('trixie', place), record);
    assert.deepEqual(
      [record.made, record.after, record.snapshot, record.user?.pid],
      [true, 'revert', false, process.pid],
    );
    assert.deepEqual(leftRecords(), [], 'its user is alive');
    dropRecord(record);
    assert.deepEqual(files(), []);
  });

  it('refuses a second user', () => {
    claim('trixie', place, 'keep', false);
    assert.throws(
      () => claim('trixie', place, 'keep', true),
      (error) =>
        error instanceof LabError &&
        error.message.includes(`another run (process ${process.pid}) has the Vagrant box trixie`),
    );
    assert.equal(files().length, 1);
  });

  it('knows machines of the same name by their Vagrantfile', () => {
    claim('trixie', place, 'keep', false);
    claim('trixie', { folder: '/elsewhere', dotfile: '/x' }, 'keep', false);
    assert.equal(files().length, 2);
    assert.equal(recordOf('trixie', { folder: '/elsewhere', dotfile: null })?.dotfile, '/x');
  });

  it('of a killed user names what was left, unless it was to be kept', () => {
    const record = claim('trixie', place, 'destroy', false);
    for (const user of [
      { ...record.user!, processStart: '1' },
      { ...record.user!, bootId: 'another boot' },
      { ...record.user!, pid: 2 ** 22 + 1 },
    ]) {
      writeRecord({ ...record, user });
      assert.deepEqual(
        leftRecords().map(({ box }) => box),
        ['trixie'],
      );
    }
    writeRecord({ ...record, after: 'keep', user: { ...record.user!, processStart: '1' } });
    assert.deepEqual(leftRecords(), []);
  });

  it('is taken over with what is known of the box', () => {
    const record = claim('trixie', place, 'revert', false);
    writeRecord({ ...record, snapshot: true, user: null });
    assert.deepEqual(
      [true, false].map((there) => claimAgain(there)),
      [
        [true, true],
        // Removed by hand since: a new one, without a snapshot.
        [true, false],
      ],
    );
    function claimAgain(there: boolean) {
      const { made, snapshot } = claim('trixie', place, 'keep', there);
      writeRecord({ ...record, snapshot: true, user: null });
      return [made, snapshot];
    }
  });

  it('does not call a box ours that somebody else has made', () => {
    assert.equal(claim('trixie', place, 'revert', true).made, false);
  });

  it('leaves alone what is not a record', () => {
    const record = claim('trixie', place, 'keep', false);
    writeFileSync(join(state, 'bindstorm', 'boxes', 'other.json'), '{"box": 1}');
    assert.deepEqual(boxRecords(), [record]);
  });
});
