/** The text format of Prometheus (exposition format 0.0.4): one HELP and TYPE a family. Pure. */

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly samples: readonly Sample[];
}

type MakeFamily = (name: string, help: string, samples: readonly Sample[]) => Family;
export const gauge: MakeFamily = (name, help, samples) => ({ name, type: 'gauge', help, samples });
export const counter: MakeFamily = (name, help, samples) => ({ name, type: 'counter', help, samples });

/** @param prefix of every name; families without a sample are left out */
export function renderFamilies(prefix: string, families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, type, help, samples }) => {
      const full = prefix + name;
      const lines = samples.map(({ labels = {}, value }) => `${full}${labelText(labels)} ${numberText(value)}\n`);
      return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join('')}`;
    })
    .join('');
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** Digits that a float64 needs, no thousands separators. */
function numberText(value: number): string {
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : value < 0 ? '-Inf' : 'NaN';
}
