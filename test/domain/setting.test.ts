import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import {
  type Complete,
  changesOf,
  complete,
  keptShape,
  type Named,
  named,
  needed,
  setting,
  writtenShape,
} from '../../src/domain/setting.js';
import { duration, flag, oneOf, orNull, portRange, rate } from '../../src/domain/values.js';

const TABLE = {
  rate: needed(rate, { describe: 'attempts per second', example: '2000/s' }),
  hold: setting(duration, { default: 0, keptAs: 'holdMs', describe: 'how long', example: '250ms' }),
  drain: setting(flag, { default: false, describe: 'whether', example: 'true' }),
  close: setting(oneOf(['client', 'server']), { default: 'client', describe: 'who', example: 'server' }),
  ports: setting(orNull(portRange, "the kernel's range"), { default: null, describe: 'which', example: '1-2' }),
};
const WRITTEN = z.strictObject(writtenShape(TABLE));
const KEPT = z.object(keptShape(TABLE));

test('one row is the form in the profile, the form in the plan, the default and the words', () => {
  const input: Named<typeof TABLE> = named(TABLE, WRITTEN.parse({ rate: '2k/s', hold: '1s', ports: '1000-2000' }));
  const plan: Complete<typeof TABLE> = complete(TABLE, input, { drain: true });
  const kept: Complete<typeof TABLE> = KEPT.parse(plan);
  assert.deepEqual(kept, { ...plan });
  const range = { low: 1000, high: 2000 };
  assert.deepEqual(plan, { rate: 2000, holdMs: 1000, drain: true, close: 'client', ports: range });
  const before = { ...plan, holdMs: 0, drain: false, ports: null };
  const changes = ['hold 0s → 1s', 'drain off → on', "ports the kernel's range → 1000-2000"];
  assert.deepEqual(changesOf(TABLE, before, plan), changes);
  assert.throws(() => WRITTEN.parse({}), /rate/);
  assert.deepEqual(WRITTEN.shape.hold.meta(), { description: 'how long', example: 'hold: 250ms', defaultText: '0s' });
});
