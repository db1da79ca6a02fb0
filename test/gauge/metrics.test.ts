import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderMetrics } from '../../src/gauge/metrics.js';
import { countOf, lookOf } from '../support/looks.js';

/** name{labels} → value; the format is read strictly. */
function parse(text: string): Map<string, number> {
  assert.ok(text.endsWith('\n'));
  const values = new Map<string, number>();
  const typed = new Set<string>();
  let family = '';
  for (const line of text.trimEnd().split('\n')) {
    const comment = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line);
    if (comment) {
      family = comment[2]!;
      if (comment[1] === 'TYPE') {
        assert.match(comment[3]!, /^(gauge|counter)$/);
        assert.ok(!typed.has(family), `${family} comes once`);
        typed.add(family);
      }
      continue;
    }
    const sample = /^([a-z_]+)((?:\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\})?) (-?[\d.e+-]+|[+-]Inf|NaN)$/.exec(line);
    assert.ok(sample, line);
    assert.equal(sample[1], family, 'under its own family');
    assert.ok(!values.has(sample[1]! + sample[2]!), line);
    values.set(sample[1]! + sample[2]!, Number(sample[3]!.replace('Inf', 'Infinity')));
  }
  return values;
}

test('every number of a look is there, in base units', () => {
  const look = lookOf(
    [
      countOf('10.0.0.1', 600, { states: { TIME_WAIT: 500, ESTABLISHED: 100 } }),
      countOf('2001:db8::1', 20, { largest: null }),
    ],
    { growth: { '10.0.0.1': { perSecond: 12.5, secondsLeft: 32 } } },
  );
  const values = parse(renderMetrics(look, 7));
  assert.deepEqual(Object.fromEntries(values), {
    bindstorm_watch_ephemeral_ports: 1000,
    bindstorm_watch_slow_wall_ports: 500,
    'bindstorm_watch_ports_in_use{address="10.0.0.1"}': 600,
    'bindstorm_watch_ports_in_use{address="2001:db8::1"}': 20,
    'bindstorm_watch_largest_destination_sockets{address="10.0.0.1"}': 600,
    'bindstorm_watch_fill_ratio{address="10.0.0.1",wall="ports"}': 0.6,
    'bindstorm_watch_fill_ratio{address="2001:db8::1",wall="ports"}': 0.02,
    'bindstorm_watch_growth_per_second{address="10.0.0.1"}': 12.5,
    'bindstorm_watch_exhaustion_seconds{address="10.0.0.1"}': 32,
    'bindstorm_watch_sockets{address="10.0.0.1",state="TIME_WAIT"}': 500,
    'bindstorm_watch_sockets{address="10.0.0.1",state="ESTABLISHED"}': 100,
    'bindstorm_watch_sockets{address="2001:db8::1",state="TIME_WAIT"}': 20,
    'bindstorm_watch_sockets{address="2001:db8::1",state="ESTABLISHED"}': 0,
    bindstorm_watch_all_sockets: 5678,
    bindstorm_watch_level: 1,
    ...Object.fromEntries(
      ['healthy', 'slow-wall', 'hard-wall', 'churn', 'leak', 'slow-server', 'hot-destination', 'poisoned'].map(
        (name) => [`bindstorm_watch_cause{class="${name}"}`, name === 'churn' ? 1 : 0],
      ),
    ),
    bindstorm_watch_exposed_listeners: 0,
    bindstorm_watch_self_connections: 0,
    bindstorm_watch_look_duration_seconds: 0.0123456,
    bindstorm_watch_look_timestamp_seconds: 1767323045.678,
    bindstorm_watch_looks_total: 7,
  });
});

test('a family without a sample is left out, heading and all', () => {
  const text = renderMetrics(lookOf([]), 1);
  assert.doesNotMatch(text, /ports_in_use|exhaustion/);
  assert.equal(parse(text).get('bindstorm_watch_level'), 0);
});

test('a label’s quotes, backslashes and line breaks stay inside it', () => {
  const text = renderMetrics(lookOf([countOf('a"b\\c\nd', 1)]), 1);
  assert.ok(text.includes('{address="a\\"b\\\\c\\nd"} 1\n'));
  parse(text);
});

test('the level is a number that rises with the danger', () => {
  const level = (ports: number) =>
    parse(renderMetrics(lookOf([countOf('10.0.0.1', ports)]), 1)).get('bindstorm_watch_level');
  assert.deepEqual([499, 500, 1000].map(level), [0, 1, 2]);
});

test('of a process that has ended its metrics say so, and of no process they say nothing', () => {
  const running = (process: { pid: number; running: boolean } | null) =>
    parse(renderMetrics(lookOf([countOf('10.0.0.1', 1)], { more: { process } }), 1)).get(
      'bindstorm_watch_process_running',
    );
  assert.deepEqual(
    [running(null), running({ pid: 812, running: true }), running({ pid: 812, running: false })],
    [undefined, 1, 0],
  );
});
