/** Pages in Debian's Chromium, and everything that went wrong in them. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** The tests install it (test/support/packages.ts); playwright-core brings none. */
const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Started with a profile folder of its own, which is gone with it. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
}

export interface Visit {
  readonly page: Page;
  /** Errors and warnings of the console, exceptions, dialogs, and requests to anything but the page's own origin. */
  readonly complaints: string[];
}

/** A page in a context of its own, under watch from before its first byte. */
export async function visit(
  browser: Browser,
  url: string,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<Visit> {
  const context: BrowserContext = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const isOwn = (requested: string) =>
    requested.startsWith('data:') ||
    (url.startsWith('file:') ? requested.split('#')[0] === url : new URL(requested).origin === new URL(url).origin);
  page.on('request', (request) => {
    if (!isOwn(request.url())) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(url, { waitUntil: 'load' });
  return { page, complaints };
}

/** The widths of a phone, a tablet and a desk. */
export const WIDTHS = [390, 820, 1280] as const;

/**
 * What a reader would stumble over: a page that scrolls sideways, a chart without a size, a label that sticks out of its chart.
 * @returns one line for each
 */
export function layoutFaults(page: Page): Promise<string[]> {
  // This runs in the page, and the types of Node know no document: hence a text.
  return page.evaluate(`(() => {
    const faults = [];
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) faults.push('the page is ' + scrollWidth + ' wide in a window of ' + clientWidth);
    for (const chart of document.querySelectorAll('.chart svg')) {
      if (chart.closest('[hidden]')) continue;
      const box = chart.getBoundingClientRect();
      if (box.width < 200 || box.height < 60) faults.push('a chart of ' + box.width + ' × ' + box.height);
      for (const text of chart.querySelectorAll('text')) {
        const { left, right, top, bottom } = text.getBoundingClientRect();
        if (left < box.left - 2 || right > box.right + 2 || top < box.top - 2 || bottom > box.bottom + 2)
          faults.push('“' + text.textContent + '” sticks out of ' + chart.closest('figure').innerText.split('\\n')[0]);
      }
    }
    return faults;
  })()`) as Promise<string[]>;
}

/** Tables that a reader would have to scroll. Those of counters have a column an arm, and the numbers of a chart stand in a fold. */
export function wideTables(page: Page): Promise<string[]> {
  return page.evaluate(`[...document.querySelectorAll('.scroll')]
    .filter((each) => !each.closest('#counters, .numbers') && each.scrollWidth > each.clientWidth)
    .map((each) => each.getAttribute('aria-label') + ': ' + each.scrollWidth + ' in ' + each.clientWidth)`) as Promise<
    string[]
  >;
}

/**
 * What a screen reader or speech input would stumble over: a label on what has no role (WAI-ARIA 1.2, 5.2.8.6), and one without the
 * text that is seen (WCAG 2.2, 2.5.3). @returns one line for each
 */
export function labelFaults(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const faults = [];
    const NAMED = ['A', 'ASIDE', 'NAV', 'SECTION', 'PROGRESS', 'BUTTON', 'TABLE'];
    for (const each of document.querySelectorAll('[aria-label], [aria-labelledby]')) {
      const label = each.getAttribute('aria-label');
      if (!each.hasAttribute('role') && !NAMED.includes(each.tagName)) faults.push('label on a plain ' + each.outerHTML.slice(0, 80));
      if (each.tagName === 'A' && label !== null && !label.includes(each.innerText.trim()))
        faults.push('“' + each.innerText + '” is called “' + label + '”');
    }
    return faults;
  })()`) as Promise<string[]>;
}

/**
 * What axe-core finds: the rules of WCAG 2.2 A and AA, and its best practices. @returns one line for each element
 */
export async function axeFaults(page: Page): Promise<string[]> {
  // Not as a script of the page, whose policy allows none but its own.
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  return page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.flatMap(
    ({ id, nodes }) => nodes.map(({ html, failureSummary }) =>
      id + ': ' + html.slice(0, 160) + ' ' + failureSummary.split('\\n').slice(1).join(' ').trim())))`) as Promise<
    string[]
  >;
}

/** Shades of grey in a picture of one colour are few: a page that was painted compresses badly. */
const LEAST_BYTES = 20_000;

/** A picture of the whole page; kept for a person to look at where BINDSTORM_SCREENSHOTS names a folder. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const picture = await page.screenshot({ fullPage: true });
  assert.ok(picture.length > LEAST_BYTES, `${name} has ${picture.length} bytes`);
  keep(name, 'png', picture);
}

/** The page as it would be printed. */
export async function print(page: Page, name: string): Promise<Buffer> {
  const pdf = await page.pdf({ format: 'A4' });
  keep(name, 'pdf', pdf);
  return pdf;
}

function keep(name: string, extension: string, content: Buffer): void {
  const folder = process.env.BINDSTORM_SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.${extension}`), content);
}
