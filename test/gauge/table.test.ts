import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { renderLine, renderTable } from '../../src/gauge/table.js';
import { countOf, lookOf } from '../support/looks.js';

const PLAIN = { colour: false, width: 200, height: 50 };

test('shows each address against the walls, and who is at the other end', () => {
  const look = lookOf(
    [
      countOf('10.0.0.1', 620, { states: { ESTABLISHED: 20, TIME_WAIT: 600 } }),
      countOf('10.0.0.2', 100, { sockets: 3000, largest: { address: '2001:db8::9', port: 80, sockets: 90 } }),
    ],
    {
      growth: { '10.0.0.1': { perSecond: 19, secondsLeft: 20 }, '10.0.0.2': { perSecond: -0.52, secondsLeft: null } },
      more: {
        owners: {
          owners: [{ pid: 812, command: 'squid', sockets: 20, states: { ESTABLISHED: 20 }, estimated: false }],
          unreadable: 3,
          incomplete: false,
        },
        missed: 4,
      },
    },
  );
  assert.deepEqual(renderTable(look, PLAIN).slice(0, 13), [
    '2026-01-02 03:04:05 UTC  5,678 TCP sockets, counted in 12 ms  slow wall',
    'ports 40000 to 40999: 1,000 an address; the slow wall is at 500, the hard wall at 1,000',
    'Churn: 600 of 620 sockets of 10.0.0.1 are closed and keep their ports (TIME_WAIT), about 9.7 closes a second; 1,000 ports sustain 16 a second.',
    '',
    'local address  in use  fill                          wall                  growth  hard wall  states',
    '10.0.0.1          620  ████████████░░░░░░░░  62.0 %  ports                +19.0/s    in 20 s  TIME_WAIT 600, ESTABLISHED 20',
    '10.0.0.2           90  ██░░░░░░░░░░░░░░░░░░   9.0 %  to [2001:db8::9]:80   −0.5/s          –  TIME_WAIT 100',
    '',
    'busiest destinations (each up to 4 more)',
    '203.0.113.9:443  1,234 from 2 addresses',
    '',
    'owners of open sockets (3 processes may not be read)',
    'squid (812)  20',
  ]);
});

test('fits the window: rows are cut off and counted, lines end at the edge', () => {
  const look = lookOf(Array.from({ length: 50 }, (_, i) => countOf(`10.0.0.${i}`, 500 - i)));
  for (const [width, height] of [
    [80, 24],
    [40, 16],
    [200, 60],
  ] as const) {
    const lines = renderTable(look, { colour: true, width, height });
    assert.ok(lines.length <= height, `${lines.length} lines in ${height}`);
    const rows = lines.filter((line) => /^10\.0\.0\.\d+ /.test(stripVTControlCharacters(line))).length;
    const left = 50 - rows;
    if (left > 0)
      assert.ok(lines.some((line) => stripVTControlCharacters(line).startsWith(`and ${left} addresses below `)));
    for (const line of lines) assert.ok(stripVTControlCharacters(line).length <= width, line);
  }
});

test('a full address is never rounded to full before it is, and says «reached» when it is', () => {
  const almost = renderTable(lookOf([countOf('10.0.0.1', 9999)], { more: {} }), PLAIN);
  assert.match(almost.join('\n'), /999\.9 %/);
  const line = (ports: number, secondsLeft: number | null) =>
    renderLine(lookOf([countOf('10.0.0.1', ports)], { growth: { '10.0.0.1': { perSecond: 1, secondsLeft } } }));
  assert.match(
    line(1000, 0),
    /hard wall \(churn\) {2}10\.0\.0\.1 has 1,000 of 1,000 ports \(100\.0 %\), \+1\.0\/s, hard wall reached$/,
  );
  assert.match(line(999, 0.2), /slow wall \(churn\) .*\(99\.9 %\), .* hard wall in 1 s$/);
  assert.match(line(1, 5000), /in 83 min$/);
  assert.match(line(1, 90_000), /in 25 h$/);
  assert.match(line(1, 1e9), /in over 2 days$/);
  assert.match(line(1, null), /\+1\.0\/s$/);
});

test('one line says where the fullest address stands', () => {
  assert.equal(
    renderLine(lookOf([countOf('10.0.0.1', 10), countOf('10.0.0.2', 20), countOf('10.0.0.3', 5)])),
    '2026-01-02T03:04:05.678Z  ok  10.0.0.2 has 20 of 1,000 ports (2.0 %), 2 addresses less',
  );
  assert.equal(renderLine(lookOf([])), '2026-01-02T03:04:05.678Z  ok  no socket on an ephemeral port');
});

test('without a socket there is a sentence instead of a table', () => {
  const lines = renderTable(lookOf([], { more: { destinations: [] } }), PLAIN);
  assert.equal(lines.at(-1), 'No socket on an ephemeral port.');
});

test('a process may call itself what it likes and moves no cursor', () => {
  const owners = {
    owners: [{ pid: 1, command: 'a\u001b[2Jb', sockets: 1, states: {}, estimated: true }],
    unreadable: 0,
    incomplete: true,
  };
  const lines = renderTable(lookOf([countOf('10.0.0.1', 1)], { more: { owners } }), PLAIN);
  assert.equal(lines.at(-1), 'a\\u001b[2Jb (1)  about 1');
  assert.equal(lines.at(-2), 'owners of open sockets (not all processes were read)');
});
