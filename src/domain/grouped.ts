/**
 * Numbers as texts of this program have them, `12,345.6`: what `toLocaleString('en')` says, whose first call takes 10 ms and more to load its tables.
 */

/** @param most decimals at most; zeros at the end are left out */
export function grouped(value: number, most = 3): string {
  // toFixed() goes over to exponents there.
  if (!(Math.abs(value) < 1e21)) return value.toLocaleString('en', { maximumFractionDigits: most });
  const [whole = '', fraction = ''] = value.toFixed(most).split('.');
  const decimals = fraction.replace(/0+$/, '');
  const text = whole.replace(/\B(?=(?:\d{3})+$)/g, ',');
  return decimals === '' ? text : `${text}.${decimals}`;
}
