import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT, EXIT_HELP, explainError, UserError } from '../../src/commands/exit.js';
import { JournalError } from '../../src/experiment/journal.js';
import { AgentDied, LabError } from '../../src/lab/lab.js';
import { ProfileError } from '../../src/profile/problem.js';

test('every exit code is distinct and told in the help', () => {
  const codes = Object.values(EXIT);
  assert.equal(new Set(codes).size, codes.length);
  for (const code of codes) assert.match(EXIT_HELP, new RegExp(`^ {2}${code} `, 'm'));
  assert.equal(EXIT_HELP.match(/^ {2}\d+ /gm)!.length, codes.length);
});

test('the user’s own mistakes are bad input, in their own words and without a stack', () => {
  const profile = new ProfileError('x.yaml', [{ path: 'load', line: 3, column: 1, message: 'found nothing' }]);
  for (const [error, message] of [
    [new UserError('name a profile'), 'name a profile'],
    [profile, 'x.yaml:3:1: load: found nothing'],
    [new JournalError('no journal'), 'no journal'],
  ] as const) {
    assert.deepEqual(explainError(error), { message, exitCode: 2 });
  }
});

test('a user error may have a code of its own', () => {
  assert.deepEqual(explainError(new UserError('restore first', { exitCode: EXIT.noLab })), {
    message: 'restore first',
    exitCode: EXIT.noLab,
  });
});

test('a lab that cannot be had points to the doctor', () => {
  const { message, exitCode } = explainError(new LabError('unshare: Operation not permitted'));
  assert.equal(exitCode, 3);
  assert.match(message, /^unshare: Operation not permitted\nRun `bindstorm doctor`/);
  assert.deepEqual(explainError(new AgentDied('the agent was killed by SIGKILL')), {
    message: 'the agent was killed by SIGKILL',
    exitCode: 3,
  });
});

test('anything else is our fault, and shows where', () => {
  const { message, exitCode } = explainError(new TypeError('x is undefined'));
  assert.equal(exitCode, 4);
  assert.match(message, /a fault of bindstorm, please report it:\nTypeError: x is undefined\n\s+at .*exit\.test/);
  assert.match(explainError('a text').message, /:\na text$/);
  assert.match(explainError(undefined).message, /:\nundefined$/);
});
