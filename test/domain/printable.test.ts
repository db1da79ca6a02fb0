/** What comes from outside moves no cursor, sets no title, fills no clipboard, and reverses no text, wherever it is shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainError, UserError } from '../../src/commands/exit.js';
import { printable, printableAll, printableLines, printableWords } from '../../src/domain/printable.js';
import { explain } from '../../src/explain/explain.js';
import { renderExplanation } from '../../src/report/explain.js';
import { renderHtml, renderMarkdown, renderTerminal } from '../../src/report/render.js';
import { quickstartResults } from '../support/results.js';

/** Harmless where it is read as text: a title, the clipboard, clear, each C1 form, and an override of direction. */
const SEQUENCES = '\u001b]0;title\u0007\u001b]52;c;eA==\u0007\u001b[2J\u009b2J\u202eabc\u2066\u007f';
const RAW = /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/u;

test('controls are spelled out, and what is no control stays', () => {
  assert.equal(printable('a\u001b[2Jb\n\tö…日本'), 'a\\u001b[2Jb\\u000a\\u0009ö…日本');
  assert.equal(printableLines('a\u0007\n\tb'), 'a\\u0007\n\tb');
  assert.equal(printableWords('a\n \tb\u009b'), 'a b\\u009b');
  assert.doesNotMatch(printable(SEQUENCES), RAW);
});

test('what a live page is told is printable, names of outcomes too', () => {
  const told = { type: 'state', arms: [{ name: SEQUENCES, outcomes: { [`http:503 ${SEQUENCES}`]: 3 }, last: null }] };
  const shown = printableAll(told) as typeof told;
  const [arm] = shown.arms;
  assert.deepEqual([shown.type, arm!.last, Object.values(arm!.outcomes)], ['state', null, [3]]);
  for (const text of [arm!.name, ...Object.keys(arm!.outcomes)]) assert.doesNotMatch(text, RAW);
});

test('a log line of a proxy, a line to explain, a profile and an error show none of it', async () => {
  const results = quickstartResults();
  results.experiment.name += SEQUENCES;
  results.experiment.description = SEQUENCES;
  const run = results.variants[0]!.runs[0]!;
  Object.assign(run, { status: 'failed', problems: [`the log of the proxy says: ${SEQUENCES}`] });
  const shown: Record<string, string> = {
    terminal: renderTerminal(results, { colour: false, width: 100 }),
    Markdown: renderMarkdown(results),
    HTML: (await renderHtml(results)).replace(/<script[\s\S]*?<\/script>|<style[\s\S]*?<\/style>/g, ''),
    explain: renderExplanation(explain(`${SEQUENCES} bind: Address already in use`), 100),
    error: explainError(new UserError(SEQUENCES, { remedy: SEQUENCES })).message,
    fault: explainError(new Error(SEQUENCES)).message,
  };
  for (const [where, text] of Object.entries(shown)) {
    // The terminal's summary names neither the experiment nor a failed run.
    if (where !== 'terminal') assert.ok(text.includes('u001b'), `${where} has it, spelled out`);
    assert.doesNotMatch(text, RAW, where);
  }
});
