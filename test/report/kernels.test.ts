import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { picturesOf } from '../../src/report/pictures.js';
import { renderHtml, renderMarkdown, renderTerminal } from '../../src/report/render.js';
import { kernelEffectRows, kernelEffects, kernelGrid, kernelTable } from '../../src/report/rows/kernel-effects.js';
import { resultsOn, sideBySide } from '../../src/report/rows/kernels.js';
import type { Results } from '../../src/results/schema.js';
import { fittedExperiment, KERNELS, kernelInput, kernelResults } from '../support/kernels.js';
import { type Element, parseMarkup } from '../support/markup.js';
import { quickstartResults } from '../support/results.js';

const results = kernelResults();

describe('kernels side by side', () => {
  const table = sideBySide(results)!;
  const cells = (name: string) => table.rows.find((row) => row.name === name)!.cells;

  it('one row a variant, one column a kernel', () => {
    assert.deepEqual(
      table.rows.map(({ name, nowhere }) => [name, nowhere]),
      [
        ['baseline', false],
        ['range', false],
        ['delay', false],
        ['recycle', true],
        ['all', false],
      ],
    );
    assert.deepEqual(cells('baseline'), [
      { kind: 'baseline', goal: '50.0 %' },
      { kind: 'baseline', goal: '50.0 %' },
    ]);
    assert.deepEqual(cells('delay'), [
      { kind: 'absent', text: 'not on this kernel (since Linux 6.14)' },
      { kind: 'verdict', verdict: 'better', goal: '50.0 % → 0 %', without: [] },
    ]);
    assert.deepEqual(cells('all'), [
      {
        kind: 'verdict',
        verdict: 'no difference',
        goal: '50.0 % → 50.0 %',
        without: ['net.ipv4.tcp_tw_recycle (until Linux 4.11)', 'net.ipv4.tcp_tw_reuse_delay (since Linux 6.14)'],
      },
      {
        kind: 'verdict',
        verdict: 'better',
        goal: '50.0 % → 0 %',
        without: ['net.ipv4.tcp_tw_recycle (until Linux 4.11)'],
      },
    ]);
    assert.equal(table.rows.at(-1)!.changes.length, 2, 'what is left where most is left');
  });

  it('names exactly what none of the kernels has', () => {
    assert.deepEqual(table.nowhere, ['net.ipv4.tcp_tw_recycle (until Linux 4.11)']);
  });

  it('is no table for an experiment without kernels', () => {
    assert.equal(sideBySide(quickstartResults()), null);
  });

  it('the part of one kernel has what ran there, and its environment', () => {
    const part = resultsOn(results, results.kernels![1]!);
    assert.deepEqual(
      part.variants.map(({ name }) => name),
      ['baseline', 'range', 'delay', 'all'],
    );
    assert.deepEqual([part.environment.kernel, part.kernels], ['7.2.7', undefined]);
  });

  it('charts: every variant on every kernel against the baseline there', () => {
    const effects = kernelEffects(results);
    const rows = kernelEffectRows(effects).map(({ name, heading = false, difference, verdict }) =>
      heading ? name : [name, difference, verdict],
    );
    assert.deepEqual(rows, [
      'old',
      ['range', -0.5, 'better'],
      ['all', 0, 'no difference'],
      'new',
      ['range', -0.5, 'better'],
      ['delay', -0.5, 'better'],
      ['all', -0.5, 'better'],
    ]);
    const grid = kernelGrid(effects, results);
    const better = { verdict: 'better', text: '−50.0' };
    assert.deepEqual(grid, {
      kernels: ['old', 'new'],
      rows: [
        { name: 'range', cells: [better, better] },
        { name: 'delay', cells: [{ verdict: null, text: '' }, better] },
        { name: 'all', cells: [{ verdict: 'no difference', text: '0' }, better] },
      ],
    });
    assert.deepEqual(kernelTable(effects, results).rows[1], [
      'delay',
      'not on this kernel',
      '−50.0 points (exact), better',
    ]);
    assert.deepEqual(kernelEffects(quickstartResults()), []);
  });

  it('Markdown has both charts as pictures', () => {
    assert.deepEqual(
      picturesOf(results).map(({ path }) => path),
      ['charts/kernels.svg', 'charts/effect.svg'],
    );
    assert.match(
      renderMarkdown(results, 'png'),
      /^\[!\[failures: [^\]]*\]\(charts\/kernels\.png\)\]\(charts\/kernels\.svg\)$/m,
    );
  });

  it('times are not to be read across engines', () => {
    const { environments } = kernelInput();
    const mixed = [environments![0]!, { ...environments![1]!, engine: 'qemu-tcg' as const }];
    const note = (goal: string, on = environments!) =>
      sideBySide(kernelResults({ experiment: fittedExperiment({ goal }), environments: on }))!.note;
    assert.match(note('latency.total.p99', mixed), /is a matter of time, .*: read down, not across\.$/);
    assert.match(note('failures.share', mixed), /may be read across; times may not, because/);
    assert.doesNotMatch(note('latency.total.p99'), /read down/);
  });
});

describe('the page about several kernels', () => {
  let page: string;
  let elements: Element[];
  before(async () => {
    page = await renderHtml(results);
    elements = parseMarkup(page);
  });
  const withTag = (tag: string) => elements.filter((element) => element.tag === tag);

  it('ids are unique, and every link and reference has its target', () => {
    const ids = elements.flatMap(({ attributes }) => attributes.get('id') ?? []);
    assert.equal(new Set(ids).size, ids.length);
    const targets = [
      ...withTag('a').map(({ attributes }) => attributes.get('href')!.slice(1)),
      ...elements.flatMap(({ attributes }) => attributes.get('aria-labelledby')?.split(' ') ?? []),
      ...[...page.matchAll(/url\(#([^)]*)\)/g)].map(([, id]) => id!),
    ];
    assert.ok(targets.length > 30);
    for (const id of targets) assert.ok(ids.includes(id), `#${id} exists`);
    for (const id of ['side-by-side', 'kernel-old', 'kernel-new', 'kernel-old-variants', 'kernel-new-latency'])
      assert.ok(ids.includes(id), id);
  });

  it('headings are one level deeper within a kernel, and none is skipped', () => {
    const levels = elements.filter(({ tag }) => /^h\d$/.test(tag)).map(({ tag }) => Number(tag[1]));
    for (const [i, level] of levels.entries())
      assert.ok(level <= (levels[i - 1] ?? 0) + 1, `h${level} after ${levels[i - 1]}`);
    assert.ok(levels.includes(4));
  });

  it('says what is where, and what is nowhere', () => {
    assert.match(page, /old: Linux 6\.1\.176 under User-Mode Linux/);
    assert.match(page, /new: Linux 7\.2\.7 under User-Mode Linux/);
    assert.match(page, /on Linux 6\.1\.176 and 7\.2\.7,/);
    assert.match(page, /not on this kernel \(since Linux 6\.14\)/);
    assert.match(page, /on none of these kernels/);
    assert.match(page, /Times and rates of different engines are never compared/);
  });

  it('a kernel on which nothing ran is there all the same', async () => {
    const base = fittedExperiment();
    const missing = { 'net.ipv4.tcp_tw_reuse_delay': 'since Linux 6.14' };
    const arms = base.arms.map((arm) => (arm.kernel === 'old' ? { ...arm, absent: true, missing } : arm));
    const empty = await renderHtml(kernelResults({ experiment: { ...base, arms } }));
    assert.match(empty, /id="kernel-old"/);
    assert.match(empty, /range: <wbr>|range:/);
  });

  it('a name in results from elsewhere is no markup', async () => {
    const name = '"><script>$&x</script>';
    const factors = KERNELS.map((kernel, i) => (i === 0 ? { ...kernel, name } : kernel));
    const base = fittedExperiment();
    const arms = base.arms.map((arm) => (arm.kernel === 'old' ? { ...arm, kernel: name } : arm));
    const predictions = new Map(arms.map((arm) => [`${arm.name}@${arm.kernel}`, results.variants[0]!.prediction]));
    const hostile: Results = kernelResults({ experiment: { ...base, kernels: factors, arms }, predictions });
    const text = await renderHtml(hostile);
    assert.ok(!text.includes('<script'));
    assert.ok(parseMarkup(text).every(({ tag }) => tag !== 'script'));
    assert.ok(!renderMarkdown(hostile).includes('<script'));
  });
});

describe('the text for a ticket about several kernels', () => {
  const text = renderMarkdown(results);

  it('has the table of kernels first, and each kernel in a fold', () => {
    const [before, after] = [text.indexOf('### Kernels side by side'), text.indexOf('<details><summary>old: Linux')];
    assert.ok(before > 0 && after > before);
    assert.match(
      text,
      /\| \*\*delay\*\* \| `net\.ipv4\.tcp_tw_reuse_delay = 100` \| not on this kernel \(since Linux 6\.14\) \| ✓ better, 50\.0 % → 0 % \|/,
    );
    assert.match(text, /\| \*\*recycle\*\*<br>on none of these kernels \|/);
    assert.match(text, /On none of these kernels:\n\n- `net\.ipv4\.tcp_tw_recycle \(until Linux 4\.11\)`\n/);
    assert.equal(text.match(/<details>/g)!.length, text.match(/<\/details>/g)!.length);
  });
});

describe('the terminal about several kernels', () => {
  for (const width of [60, 90, 120]) {
    it(`fits ${width} columns, with colour and without`, () => {
      const plain = renderTerminal(results, { colour: false, width });
      for (const line of plain.split('\n')) assert.ok(line.length <= width, line);
      assert.equal(stripVTControlCharacters(renderTerminal(results, { colour: true, width })), plain);
    });
  }

  it('has a column for each kernel, or, where there is no room, a line', () => {
    const wide = renderTerminal(results, { colour: false, width: 120 }).split('\n');
    assert.match(wide.find((line) => line.startsWith('Variant'))!, /old \(6\.1\.176, uml\) +new \(7\.2\.7, uml\)$/);
    const row = wide.find((line) => line.startsWith('delay'))!;
    assert.match(row, /^delay +not on this kernel \(since Linux 6\.14\) +✓ better, 50\.0 % → 0 %$/);
    const narrow = renderTerminal(results, { colour: false, width: 60 });
    assert.match(narrow, /\ndelay\n {2}old \(6\.1\.176, uml\): not on this kernel/);
    assert.match(narrow, /On none of these kernels:\n\n- net\.ipv4\.tcp_tw_recycle \(until Linux 4\.11\)\n/);
  });
});
