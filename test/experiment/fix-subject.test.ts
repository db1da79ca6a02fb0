/** Which proxy a row of the table of fixes is of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepRow, subjectRow } from '../../src/experiment/fix-subject.js';
import { scratchFolder } from '../support/cli.js';

const version = (found: string) => async () => ({ ok: true, path: '/x', version: found }) as const;
const gone = async () => ({ ok: false, reason: 'program squid not found', remedy: 'install it' }) as const;

test('the version that is here decides how it binds', async (t) => {
  const dir = scratchFolder(t);
  assert.deepEqual(await subjectRow('squid', dir, version('5.7')), {
    kind: 'there',
    of: { strategy: 'bind', subject: { kind: 'squid', version: '5.7' } },
  });
  const newer = await subjectRow('squid', dir, version('6.13'));
  assert.equal(newer.of.strategy, 'bind-no-port');
});

test('one that is not here is said, with what to do; what was measured before stands', async (t) => {
  const dir = scratchFolder(t);
  const found = await subjectRow('squid', dir, gone);
  assert.ok(found.kind === 'absent');
  assert.match(found.why, /squid is not installed \(program squid not found\): install it/);
  keepRow(dir, { strategy: 'bind', subject: { kind: 'squid', version: '5.7' } });
  assert.deepEqual(await subjectRow('squid', dir, gone), await subjectRow('squid', dir, version('5.7')));
});

test('a table is not resumed by another version', async (t) => {
  const dir = scratchFolder(t);
  keepRow(dir, { strategy: 'bind', subject: { kind: 'squid', version: '5.7' } });
  await assert.rejects(subjectRow('squid', dir, version('6.13')), {
    name: 'UserError',
    message: /was begun with squid/,
  });
  await assert.rejects(subjectRow('squid', dir, version('6.13')), /begun with squid 5\.7, and here is 6\.13/);
});
