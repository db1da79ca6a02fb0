import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderLine, renderTable } from '../../src/gauge/table.js';
import { createScreen, type ScreenKind } from '../../src/watch/screen.js';
import { countOf, lookOf } from '../support/looks.js';

function fakeStream(terminal: { columns: number; rows: number } | null) {
  const writes: string[] = [];
  const stream = { isTTY: terminal !== null, ...terminal, write: (text: string) => writes.push(text) };
  return { writes, stream: stream as unknown as NodeJS.WriteStream };
}

/** What a terminal shows after these writes: the cursor moves and rows are erased as the escapes say. */
function shown(writes: readonly string[]): string[] {
  const rows: string[] = [];
  let row = 0;
  let column = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes of a terminal are what is read
  const pieces = /\x1b\[(\d*)([AKJ])|[\r\n]|[^\x1b\r\n]+/g;
  for (const [piece, count, action] of writes.join('').matchAll(pieces)) {
    if (action === 'A') row -= Number(count);
    else if (action === 'K') rows[row] = (rows[row] ?? '').slice(0, column);
    else if (action === 'J') rows.length = Math.min(rows.length, row);
    else if (piece === '\r') column = 0;
    else if (piece === '\n') [row, column] = [row + 1, 0];
    else {
      const before = (rows[row] ?? '').padEnd(column);
      rows[row] = before.slice(0, column) + piece + before.slice(column + piece.length);
      column += piece.length;
    }
    assert.ok(row >= 0, 'the cursor stays on the screen');
  }
  return rows;
}

const RENDERING = { table: renderTable, line: renderLine };
const small = lookOf([countOf('10.0.0.1', 5)]);
const large = lookOf([countOf('10.0.0.1', 5), countOf('10.0.0.2', 5), countOf('10.0.0.3', 5)]);

test('a terminal shows the latest table in the place of the one before, also when it has fewer lines', () => {
  for (const looks of [
    [small, large],
    [large, small],
    [large, small, large],
  ]) {
    const { writes, stream } = fakeStream({ columns: 120, rows: 40 });
    const screen = createScreen(stream, 'table', false, RENDERING);
    for (const look of looks) screen.show(look);
    assert.equal(writes.length, looks.length, 'one write a look');
    const once = fakeStream({ columns: 120, rows: 40 });
    createScreen(once.stream, 'table', false, RENDERING).show(looks.at(-1)!);
    assert.deepEqual(shown(writes), shown(once.writes));
  }
});

test('the table has a line less than the window, so that nothing scrolls', () => {
  const many = lookOf(Array.from({ length: 90 }, (_, i) => countOf(`10.0.0.${i}`, 90 - i)));
  const { writes, stream } = fakeStream({ columns: 80, rows: 24 });
  createScreen(stream, 'table', true, RENDERING).show(many);
  assert.ok(writes[0]!.split('\n').length - 1 <= 23);
});

test('a terminal that says that it has no columns and no rows is taken for one of 80 by 24', () => {
  const [none, usual] = [
    { columns: 0, rows: 0 },
    { columns: 80, rows: 24 },
  ].map((size) => {
    const { writes, stream } = fakeStream(size);
    createScreen(stream, 'table', true, RENDERING).show(large);
    return writes;
  });
  assert.deepEqual(none, usual);
});

test('into a pipe go plain lines, whole tables or JSON, without escapes', () => {
  const written = (kind: ScreenKind) => {
    const { writes, stream } = fakeStream(null);
    createScreen(stream, kind, false, RENDERING).show(large);
    return writes.join('');
  };
  assert.equal(written('lines').split('\n').length, 2);
  assert.deepEqual(JSON.parse(written('json')), large);
  assert.ok(written('json').endsWith('}\n'));
  assert.match(written('table'), /^10\.0\.0\.3 /m);
  assert.ok(!written('table').includes('\u001b'));
});
