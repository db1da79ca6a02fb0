import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  damagedSnapshots,
  ownSnapshot,
  restoreSnapshot,
  type Snapshot,
  staleSnapshots,
  takeSnapshot,
} from '../../src/agent/place/host-guard.js';
import { sealed } from '../../src/machine/seal.js';
import { stateDirectory } from '../../src/machine/xdg.js';

/** Read-only, and the same as long as the machine runs: nothing here is ever written. */
const READ_ONLY = 'kernel.ostype';

let home: string;
const stateHome = process.env.XDG_STATE_HOME;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'bindstorm-state-'));
  process.env.XDG_STATE_HOME = home;
});

afterEach(() => {
  if (stateHome === undefined) delete process.env.XDG_STATE_HOME;
  else process.env.XDG_STATE_HOME = stateHome;
  rmSync(home, { recursive: true, force: true });
});

/** The pid of a process that has ended. */
function deadPid(): number {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  return pid;
}

/** A snapshot file of another process, made from a true one of this process. */
function leave(changes: Partial<Snapshot>): string {
  const { path: own, ...snapshot } = takeSnapshot([READ_ONLY]);
  rmSync(own);
  const left = { ...snapshot, ...changes };
  const path = join(stateDirectory(), `host-sysctls-${left.pid}.json`);
  writeFileSync(path, sealed(JSON.stringify(left)));
  return path;
}

describe('the state directory', () => {
  it('follows XDG_STATE_HOME, and is below the home directory without it', () => {
    assert.equal(stateDirectory(), join(home, 'bindstorm'));
    delete process.env.XDG_STATE_HOME;
    assert.equal(stateDirectory(), join(homedir(), '.local/state/bindstorm'));
    process.env.XDG_STATE_HOME = '';
    assert.equal(stateDirectory(), join(homedir(), '.local/state/bindstorm'));
  });
});

describe('taking a snapshot', () => {
  it('puts the present values on the disk, for their owner only', () => {
    const snapshot = takeSnapshot([READ_ONLY, 'net.ipv4.ip_local_port_range']);
    assert.equal(snapshot.values[READ_ONLY], 'Linux');
    assert.match(snapshot.values['net.ipv4.ip_local_port_range']!, /^\d+ \d+$/);
    assert.deepEqual(readdirSync(stateDirectory()), [`host-sysctls-${process.pid}.json`], 'and no half-written file');
    assert.equal(statSync(stateDirectory()).mode & 0o777, 0o700);
    assert.equal(statSync(snapshot.path).mode & 0o777, 0o600);
    const { path, ...content } = snapshot;
    const { sum, ...written } = JSON.parse(readFileSync(path, 'utf8'));
    assert.deepEqual(written, content);
    assert.match(sum, /^[0-9a-f]{16}$/);
    assert.deepEqual(ownSnapshot(), snapshot);
  });

  it('fails before anything is written when a value cannot be read', () => {
    assert.throws(
      () => takeSnapshot([READ_ONLY, 'net.ipv4.no_such_key']),
      /net\.ipv4\.no_such_key cannot be read \(ENOENT\), so it could not be restored; nothing was changed/,
    );
    assert.equal(existsSync(stateDirectory()), false);
    assert.equal(ownSnapshot(), undefined);
  });
});

describe('what a killed agent has left', () => {
  it('a snapshot whose process is gone is stale', () => {
    const path = leave({ pid: deadPid() });
    const [stale, ...more] = staleSnapshots();
    assert.equal(stale?.path, path);
    assert.deepEqual(stale?.values, { [READ_ONLY]: 'Linux' });
    assert.deepEqual(more, []);
  });

  it('a snapshot whose pid another process has by now is stale', () => {
    leave({ processStart: '1' });
    assert.equal(staleSnapshots().length, 1);
  });

  it('that of a process which still runs is not', () => {
    takeSnapshot([READ_ONLY]);
    assert.deepEqual(staleSnapshots(), []);
    assert.notEqual(ownSnapshot(), undefined);
  });

  it('that of another network namespace is left to it', () => {
    const path = leave({ pid: deadPid(), netns: 'net:[1]' });
    assert.deepEqual(staleSnapshots(), []);
    assert.ok(existsSync(path));
  });

  it('that of an earlier boot is deleted: the reboot has reset the sysctls', () => {
    const path = leave({ pid: deadPid(), bootId: '00000000-0000-0000-0000-000000000000' });
    assert.deepEqual(staleSnapshots(), []);
    assert.equal(existsSync(path), false);
  });

  it('one that was changed is not believed, is left where it is, and is told', () => {
    const path = leave({ pid: deadPid() });
    assert.deepEqual(damagedSnapshots(), []);
    writeFileSync(path, readFileSync(path, 'utf8').replace('"Linux"', '"Linus"'));
    assert.deepEqual([staleSnapshots(), damagedSnapshots()], [[], [path]]);
    assert.ok(existsSync(path));
  });

  it('files of others are left alone', () => {
    mkdirSync(stateDirectory());
    const names = ['host-sysctls-1.json', 'host-sysctls-2.json', 'host-sysctls-3.json.new', 'notes.json'];
    const contents = ['not JSON', '{"pid":1}', '{}', '{}'];
    names.forEach((name, i) => {
      writeFileSync(join(stateDirectory(), name), contents[i]!);
    });
    assert.deepEqual(staleSnapshots(), []);
    assert.deepEqual(readdirSync(stateDirectory()).sort(), [...names].sort());
  });

  it('there is none without a state directory', () => {
    assert.deepEqual(staleSnapshots(), []);
    assert.equal(existsSync(stateDirectory()), false, 'looking makes none');
  });
});

describe('restoring', () => {
  it('a snapshot of which everything is in force again is deleted', () => {
    const snapshot = takeSnapshot([]);
    assert.deepEqual(restoreSnapshot(snapshot), { restored: {}, failed: [] });
    assert.equal(ownSnapshot(), undefined);
  });

  it('one that cannot be put back is named with the reason, and the file stays for another try', () => {
    const taken = takeSnapshot([]);
    const snapshot = { ...taken, values: { 'net.ipv4.no_such_key': '1' } };
    const { restored, failed } = restoreSnapshot(snapshot);
    assert.deepEqual(restored, {});
    assert.equal(failed.length, 1);
    assert.match(failed[0]!, /^net\.ipv4\.no_such_key = 1 \(E[A-Z]+\)$/);
    assert.ok(existsSync(taken.path));
  });
});
