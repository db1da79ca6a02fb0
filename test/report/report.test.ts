/** One document, three formats: what one says, the others say in the same words. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { loadDrawing } from '../../src/report/charts/svg.js';
import { type Block, type Format, headings, type Inline, select } from '../../src/report/document.js';
import { toHtml } from '../../src/report/html.js';
import { toMarkdown } from '../../src/report/markdown.js';
import { reportOf } from '../../src/report/report.js';
import { toTerminal } from '../../src/report/terminal.js';
import { everythingResults } from '../support/everything.js';
import { kernelResults } from '../support/kernels.js';
import { parseMarkup } from '../support/markup.js';
import { quickstartResults } from '../support/results.js';

const REPORTS = { everything: everythingResults(), quickstart: quickstartResults(), kernels: kernelResults() };

/** All blocks, those within others too. */
function within(blocks: readonly Block[]): Block[] {
  return blocks.flatMap((block) => [block, ...('blocks' in block ? within(block.blocks) : [])]);
}

/** The words of a text, without what a format makes of them. */
function wordsOf(content: Inline): string[] {
  if (typeof content === 'string') return content.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  if (!('kind' in content)) return content.flatMap(wordsOf);
  switch (content.kind) {
    case 'code':
    case 'name':
    case 'output':
      return wordsOf(content.text);
    case 'lines':
      return content.items.flatMap(wordsOf);
    // A terminal may leave it out.
    case 'note':
    case 'mark':
    case 'passed':
      return [];
    case 'verdict':
      return wordsOf(content.verdict);
    default:
      return wordsOf(content.content);
  }
}

/** A text in any format as its words with one space between them. */
function flat(text: string): string {
  const plain = text
    .replace(/<style>[\s\S]*?<\/style>|<svg[\s\S]*?<\/svg>|<wbr>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#?\w+;/g, ' ');
  return ` ${plain.split(/[^\p{L}\p{N}]+/u).join(' ')} `;
}

for (const [name, results] of Object.entries(REPORTS))
  describe(`the report on ${name}`, () => {
    let written: Record<Format, string>;
    const document = reportOf(results);

    before(async () => {
      const draw = (await loadDrawing()).inline;
      // A picture and its figure are of the page or of the ticket; everything else is for all.
      written = {
        page: flat(toHtml(document, draw)),
        ticket: flat(toMarkdown(document)),
        terminal: flat(toTerminal(document, { colour: false, width: 120 })),
      };
    });

    for (const format of ['page', 'ticket', 'terminal'] as const)
      it(`${format}: every section can be written, with every row of its tables`, () => {
        const words = new Set(written[format].split(' '));
        for (const block of within(document.blocks)) {
          if (block.kind === 'section')
            assert.ok(written[format].includes(` ${wordsOf(block.title).join(' ')} `), `${block.id}: ${block.title}`);
          if (block.kind !== 'table') continue;
          for (const cell of block.rows.flat()) {
            // A name may be cut on a terminal, and a cell broken into lines.
            const missing = wordsOf(cell).filter((word) => !words.has(word));
            assert.deepEqual(missing, [], `${block.caption}: ${JSON.stringify(cell)}`);
          }
        }
      });

    it('a table that two formats show has the same rows in both', () => {
      const tables = (format: Format) =>
        new Map(
          within(select(document, format).blocks).flatMap((block) =>
            block.kind === 'table' ? [[block.caption, block]] : [],
          ),
        );
      const [page, ticket, terminal] = (['page', 'ticket', 'terminal'] as const).map(tables);
      for (const [caption, table] of [...ticket!, ...terminal!]) {
        const rows = page!.get(caption)!.rows.map((row) => JSON.stringify(row[0]));
        assert.deepEqual(
          table.rows.map((row) => JSON.stringify(row[0])),
          rows,
          caption ?? '',
        );
      }
    });

    it('the navigation of the page leads to each of its sections', () => {
      const page = select(document, 'page');
      const elements = parseMarkup(toHtml(page));
      const links = elements.filter(({ tag }) => tag === 'a').map(({ attributes }) => attributes.get('href'));
      const top = elements.flatMap(({ tag, attributes }) => (tag === 'h2' ? [attributes.get('id')!] : []));
      assert.deepEqual(
        links,
        top.map((id) => `#${id.replace(/-title$/, '')}`),
      );
      assert.equal(top.length, headings(page).length);
    });
  });

it('the sections about a proxy are in the navigation, and in the ticket', () => {
  const ids = (format: Format) => headings(select(reportOf(everythingResults()), format)).map(({ id }) => id);
  for (const id of ['neighbours', 'proxy', 'views', 'exits', 'walls', 'thresholds'])
    for (const format of ['page', 'ticket'] as const) assert.ok(ids(format).includes(id), `${format}: ${id}`);
});
