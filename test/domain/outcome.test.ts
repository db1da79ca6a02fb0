import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { responseCodeName } from '../../src/domain/dns.js';
import {
  answerName,
  failureCount,
  isFailure,
  isPeerFailure,
  isPortShortage,
  NO_ADDRESS,
  outcomeProblem,
  PHASES,
} from '../../src/domain/outcome.js';
import { NO_METHOD, replyName } from '../../src/domain/socks.js';
import { NAME_SLOTS } from '../../src/load/names.js';
import { FIRST_NAMED, outcomeName } from '../../src/load/outcome.js';

describe('the grammar of an outcome', () => {
  it('has every outcome that an engine can write', () => {
    const slots = Array.from({ length: FIRST_NAMED + NAME_SLOTS }, (_, slot) => outcomeName(slot));
    const errnos = Object.keys(constants.errno).flatMap((errno) => PHASES.map((phase) => `${phase}:${errno}`));
    const replies = Array.from({ length: 255 }, (_, i) => replyName(i + 1));
    const answers = [answerName(302, ''), answerName(503, 'ERR_CONNECT_FAIL 99'), answerName(999, '')];
    const resolved = Array.from({ length: 15 }, (_, i) => `dns:${responseCodeName(i + 1)}`);
    for (const outcome of [...slots, ...errnos, ...replies, NO_METHOD, ...answers, ...resolved, `dns:${NO_ADDRESS}`])
      assert.equal(outcomeProblem(outcome), undefined, outcome);
  });

  const mistyped: readonly (readonly [outcome: string, problem: RegExp])[] = [
    ['bind:EADRINUSE', /"bind:EADRINUSE"; did you mean "bind:EADDRINUSE"\?/],
    ['conect:ECONNREFUSED', /did you mean "connect:ECONNREFUSED"\?/],
    ['sock:general-failure', /did you mean "socks:general-failure"\?/],
    ['socks:general-falure', /did you mean "socks:general-failure"\?/],
    ['answer:stollen', /did you mean "answer:stolen"\?/],
    ['dns:SERVFIAL', /did you mean "dns:SERVFAIL"\?/],
    ['dns:NOERROR', /write ok, shed/],
    ['dns:RCODE16', /write ok, shed/],
    ['http:othr', /write ok, shed, .*http:other/],
    ['http:200', /write ok, shed/],
    ['socks:succeeded', /write ok, shed/],
    ['socks:reply-8', /write ok, shed/],
    ['socks:reply-256', /write ok, shed/],
    ['OK', /write ok, shed/],
    ['bind:98', /write ok, shed/],
    ['', /write ok, shed/],
  ];
  for (const [outcome, problem] of mistyped)
    it(`refuses ${JSON.stringify(outcome)} and says what to write`, () =>
      assert.match(outcomeProblem(outcome) ?? '', problem));
});

describe('what an outcome means', () => {
  it('is a failure unless it is ok or shed', () => {
    assert.deepEqual(['ok', 'shed', 'socks:general-failure', 'http:other'].map(isFailure), [false, false, true, true]);
    assert.equal(failureCount({ ok: 5, shed: 3, 'bind:EADDRINUSE': 2, 'socks:reply-9': 1 }), 3);
  });

  it('is for want of a port only where the call had to find one', () => {
    const short = ['bind:EADDRINUSE', 'connect:EADDRNOTAVAIL', 'connect:EAGAIN', 'sendto:EAGAIN'];
    assert.ok(short.every(isPortShortage));
    const other = [
      'bind:EADDRNOTAVAIL',
      'socks:general-failure',
      'dns:SERVFAIL',
      'answer:EAGAIN',
      'answer:none',
      'sendto:ENOBUFS',
    ];
    assert.ok(!other.some(isPortShortage));
  });

  it('is the peer’s failure from its first word on', () => {
    const own = [
      'ok',
      'shed',
      'connect:ECONNREFUSED',
      'bind:EADDRINUSE',
      'timeout:ETIMEDOUT',
      'sendto:EAGAIN',
      'answer:stolen',
    ];
    const peers = [
      'http:503',
      'http:other',
      'socks:general-failure',
      'response:EOF',
      'exchange:ECONNRESET',
      'tls:EPROTO',
    ];
    assert.ok(own.every((outcome) => !isPeerFailure(outcome)));
    assert.ok(peers.every(isPeerFailure));
  });
});
