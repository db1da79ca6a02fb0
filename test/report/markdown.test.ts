import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderMarkdown } from '../../src/report/render.js';
import { hostileResults } from '../support/hostile.js';
import { emptyResults, partialResults, quickstartResults } from '../support/results.js';

/** Tables as GitHub reads them: runs of lines that start with a pipe, cells split at pipes that no backslash escapes. */
function tables(markdown: string): string[][][] {
  return markdown
    .split(/\n{2,}/)
    .filter((block) => block.startsWith('|'))
    .map((block) =>
      block.split('\n').map((line) => {
        assert.match(line, /^\|.*\|$/);
        return line
          .slice(1, -1)
          .split(/(?<!\\)\|/)
          .map((cell) => cell.trim());
      }),
    );
}

/** Lines outside fenced blocks. */
function prose(markdown: string): string {
  return markdown.replace(/^(`{3,})\w*\n[\s\S]*?\n\1$/gm, '');
}

for (const [name, results] of Object.entries({
  complete: quickstartResults(),
  partial: partialResults(),
  empty: emptyResults(),
  hostile: hostileResults(),
})) {
  test(`${name}: every row of a table has as many cells as its head`, () => {
    const found = tables(renderMarkdown(results));
    assert.equal(found.length, 2);
    for (const table of found) {
      for (const row of table) assert.equal(row.length, table[0]!.length, row.join(' ¦ '));
      assert.ok(table[1]!.every((cell) => /^--+:?$/.test(cell)));
    }
    assert.equal(found[0]!.length, 2 + results.variants.length);
  });
}

test('it says what was found, what to change, why, where, and how to repeat it', () => {
  const results = quickstartResults();
  const markdown = renderMarkdown(results);
  assert.ok(markdown.startsWith('## bindstorm: quickstart\n'));
  assert.ok(markdown.includes(`**${results.summary}**`));
  assert.match(
    markdown,
    /\| \*\*wider-range\*\* \| `net\.ipv4\.ip_local_port_range = 40000 40999` \| 50\.0 % → 0 % \| −50\.0 points \(exact\) \|/,
  );
  assert.match(markdown, /−47\.6 points \(95 % CI −48\.0 to −47\.1, p = 0\.031\)/);
  assert.match(markdown, /```ini\nnet\.ipv4\.ip_local_port_range = 1024 65535\n```/);
  assert.doesNotMatch(markdown, /```ini\nnet\.ipv4\.tcp_fin_timeout/);
  for (const { verdict } of results.variants) if (verdict) assert.ok(markdown.includes(verdict.sentence));
  assert.match(markdown, /Linux 6\.12\.63, x86_64/);
  assert.ok(markdown.includes(`\`\`\`sh\n${results.experiment.command}\n\`\`\``));
  assert.ok(markdown.includes(results.experiment.profile.trimEnd()));
});

test('a change has one name, says what it takes of the program, and asks nobody for destinations', () => {
  const markdown = renderMarkdown(quickstartResults());
  const card = (name: string) => markdown.split(/^\*\*(?=[\w-]+\*\*$)/m).find((part) => part.startsWith(`${name}**`))!;
  assert.match(
    card('wider-range'),
    /`apply\/zz-bindstorm-wider-range\.conf`, with its way back beside it, to be copied to `\/etc\/sysctl\.d\/`:\n\n```ini/,
  );
  assert.doesNotMatch(card('wider-range'), /Not alone/);
  const reuse = card('no-port-tw-reuse');
  assert.match(
    reuse,
    /Not alone: for a program that binds early \(bind\) tcp_tw_reuse does nothing, since it acts only for ports that connect\(\) chooses\. .*\n\nAs `\/etc\/sysctl\.d\/zz-bindstorm-no-port-tw-reuse\.conf`, whose name comes last, with\n\n```ini\nnet\.ipv4\.tcp_tw_reuse = 1/,
  );
  assert.match(reuse, /together with, as measured in the lab,\n\n- `load\.strategy = bind-no-port`/);
  const destinations = card('no-port-4-destinations');
  assert.match(destinations, /change, as measured in the lab,\n\n- `load\.strategy = bind-no-port`\n\n/);
  assert.match(destinations, /Measured with `4 destinations \(was 1\)`: the load’s, and nothing that can be set\./);
  assert.equal(destinations.match(/4 destinations/g)?.length, 1);
});

test('what is of the lab’s size, or gives up a protection, is no line to copy', () => {
  const results = quickstartResults();
  const names = [
    ['net.ipv4.tcp_max_tw_buckets', '100', 'gives up what TIME_WAIT protects from'],
    ['net.core.somaxconn', '8', 'is less than this kernel’s own 4,096, a limit of the lab’s size'],
    [
      'net.ipv4.ip_local_reserved_ports',
      '40000-40009',
      'leaves 90 ports, a scaled-down model of the 28,232 of a machine',
    ],
  ] as const;
  results.environment.defaults['net.core.somaxconn'] = '4096';
  results.environment.defaults['net.ipv4.tcp_max_tw_buckets'] = '131072';
  const variant = results.variants[1]!;
  for (const [name, value, why] of names) {
    variant.sysctls = { [name]: value };
    for (const run of variant.runs) run.sysctls = { ...results.variants[0]!.runs[0]!.sysctls, [name]: value };
    const markdown = renderMarkdown(results);
    assert.ok(!markdown.includes(`\`\`\`ini\n${name}`), name);
    assert.ok(markdown.includes(`Not to be pasted: \`${name} = ${value}\`, as measured, ${why}.`), name);
  }
});

test('a partial experiment says so before its table', () => {
  const markdown = renderMarkdown(partialResults());
  const notice = markdown.indexOf('> **This report is partial: 32 of 56 runs were done.');
  assert.ok(notice > 0 && notice < markdown.indexOf('| Variant |'));
});

test('nothing better means that no change is recommended', () => {
  const markdown = renderMarkdown(emptyResults());
  assert.match(markdown, /recommends no change/);
  assert.doesNotMatch(markdown, /NaN|undefined|null/);
});

test('hostile strings make neither markup nor a fence', () => {
  const markdown = renderMarkdown(hostileResults());
  const outside = prose(markdown).replace(/(`+) ?[^\n]*?[^`]\1(?!`)/g, '');
  assert.doesNotMatch(outside, /<(?!br>|\/?details>|\/?summary>)/);
  assert.match(markdown, /&lt;script&gt;/);
});
