import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Surveyed, surveyRow } from '../../src/experiment/survey.js';

const NAMED = { program: 'nc', version: '1', suite: 'bookworm', date: '2026-11-30', option: '-s' };
const SEEN: Surveyed = {
  strategies: ['bind'],
  held: [8, 8],
  failing: ['bind:EADDRINUSE'],
  tail: ['Trying 192.0.2.10...', 'nc: bind failed:\tAddress already in use', 'Killed'],
  exits: { 'exit 1': 14 },
};

describe('a row of the survey, of what was seen', () => {
  it('has the line that names the errno, and how the clients ended', () => {
    const row = surveyRow(NAMED, { ...SEEN, failing: [...SEEN.failing, 'bind:EAFNOSUPPORT'] });
    assert.deepEqual([row.strategy, row.held, row.failing], ['bind', [8, 8], ['bind:EADDRINUSE']]);
    assert.equal(row.line, 'nc: bind failed: Address already in use');
    assert.equal(row.client, '{"running":8,"exit 1":14}');
  });

  it('has a line of failure where none names an errno, or none', () => {
    assert.equal(surveyRow(NAMED, { ...SEEN, tail: ['ok', 'could not connect'] }).line, 'could not connect');
    assert.equal(surveyRow(NAMED, { ...SEEN, tail: ['ok'] }).line, '');
  });

  it('says which other ways to bind there were', () => {
    assert.equal(surveyRow(NAMED, { ...SEEN, strategies: ['bind', 'connect'] }).note, 'also connect');
  });

  it('is not made of a program that did not connect, or whose ports never ran out', () => {
    assert.throws(() => surveyRow(NAMED, { ...SEEN, strategies: [] }), /made no connection to HOST:PORT/);
    assert.throws(() => surveyRow(NAMED, { ...SEEN, failing: [] }), /its ports never ran out \(held: 8, 8\)/);
    assert.throws(() => surveyRow(NAMED, { ...SEEN, held: [9, 19] }), /9 connections to one destination had 8 ports/);
  });
});
