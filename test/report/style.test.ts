import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CSS_PALETTE } from '../../src/report/charts/palette.js';
import { STYLE } from '../../src/report/style.js';

/** Variable → colour, of the light scheme and of the dark one. */
const schemes = [...STYLE.matchAll(/:root\{([^}]*)\}/g)].map(
  ([, body]) =>
    new Map([...body!.matchAll(/--([\w-]+):(#[0-9a-f]{3,6})[;\s]/g)].map(([, name, value]) => [name!, value!])),
);

/** WCAG 2.2, relative luminance and contrast ratio. */
function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const digits = colour.length === 4 ? [...colour.slice(1)].map((digit) => digit + digit).join('') : colour.slice(1);
  const [r, g, b] = [0, 2, 4].map((at) => {
    const channel = Number.parseInt(digits.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

test('both schemes define the same colours, and all that the charts use', () => {
  assert.equal(schemes.length, 2);
  assert.deepEqual([...schemes[0]!.keys()].sort(), [...schemes[1]!.keys()].sort());
  const { verdicts, verdictGrounds, ...others } = CSS_PALETTE;
  for (const colour of [
    ...Object.values(others).flat(),
    ...Object.values(verdicts),
    ...Object.values(verdictGrounds),
  ] as string[]) {
    assert.ok(schemes[0]!.has(/^var\(--([\w-]+)\)$/.exec(colour)?.[1] ?? ''), colour);
  }
});

test('text has a contrast of 4.5:1 and chart marks of 3:1 in both schemes', () => {
  const text = [
    ['text', 'bg'],
    ['text', 'card'],
    ['text', 'unsure-bg'],
    ['muted', 'bg'],
    ['link', 'bg'],
    ['good', 'good-bg'],
    ['bad', 'bad-bg'],
    ['same', 'same-bg'],
    ['unsure', 'unsure-bg'],
  ];
  const marks = [
    'ok-line',
    'shed',
    'ports-line',
    'limit',
    'slow',
    'good',
    'bad',
    'same',
    'unsure',
    'f1',
    'f2',
    'f3',
    'f4',
    'f5',
    'v1',
    'v2',
    'v3',
    'v4',
    'v5',
    'v6',
    'v7',
  ];
  for (const scheme of schemes) {
    for (const [front, ground] of text) {
      const ratio = contrast(scheme.get(front!)!, scheme.get(ground!)!);
      assert.ok(ratio >= 4.5, `${front} on ${ground}: ${ratio.toFixed(2)}`);
    }
    for (const mark of marks) {
      const ratio = contrast(scheme.get(mark)!, scheme.get('bg')!);
      assert.ok(ratio >= 3, `${mark}: ${ratio.toFixed(2)}`);
    }
    assert.ok(contrast(scheme.get('ok-area')!, scheme.get('f1')!) >= 2.4, 'success and failure differ in grey too');
  }
});
