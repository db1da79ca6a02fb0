import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { studentP, studentQuantile } from '../../src/analysis/student.js';

const near = (found: number, right: number, relative = 1e-6) =>
  assert.ok(Math.abs(found - right) <= relative * Math.abs(right), `${found}, and not ${right}`);

describe("Student's t", () => {
  it('has the closed forms of one, two and four degrees of freedom', () => {
    // df 1: Cauchy; df 2: 1 − t/√(2 + t²).
    for (const t of [0.1, 1, 3, 12.7, 63.66, 1e4]) {
      near(studentP(t, 1), 1 - (2 / Math.PI) * Math.atan(t), 1e-8);
      near(studentP(t, 2), 1 - t / Math.sqrt(2 + t * t), 1e-6);
    }
    assert.equal(studentP(0, 3), 1);
    assert.equal(studentP(Number.POSITIVE_INFINITY, 3), 0);
    assert.equal(studentP(-2, 5), studentP(2, 5));
  });

  it('has the quantiles of the tables', () => {
    // Fisher and Yates, Statistical Tables, table III.
    for (const [p, df, t] of [
      [0.05, 1, 12.7062],
      [0.01, 1, 63.6567],
      [0.05, 2, 4.30265],
      [0.01, 3, 5.84091],
      [0.05, 5, 2.57058],
      [0.05, 8, 2.306],
      [0.001, 8, 5.04131],
      [0.05, 120, 1.97993],
    ] as const)
      near(studentQuantile(p, df), t, 1e-5);
  });

  it('is monotonous between whole degrees of freedom', () => {
    const [three, half, four] = [3, 3.5, 4].map((df) => studentQuantile(0.01, df)) as [number, number, number];
    assert.ok(three > half && half > four);
  });
});
