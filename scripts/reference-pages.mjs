// docs/exit-codes.md and docs/metrics.md, from what the program itself prints.
import { EXIT_HELP } from '../dist/src/commands/exit.js';
import { planRuns } from '../dist/src/experiment/order.js';
import { renderRunMetrics } from '../dist/src/report/live/metrics.js';
import { createLiveBook } from '../dist/src/report/live/state.js';
import { makeExperiment, makeSecond } from '../dist/test/support/runs.js';

export function exitCodesPage() {
  const rows = [...EXIT_HELP.matchAll(/^ +(\d+) +(.+)$/gm)].map(([, code, meaning]) => `| ${code} | ${meaning} |`);
  return `# Exit codes

Made from the code by \`npm run schema\`; do not edit.

| code | meaning |
| ---: | ------- |
${rows.join('\n')}

A second Ctrl-C ends the program at once, by the signal. If a run failed and a threshold was not met, the code is 4.
`;
}

/** Of a run in which everything that can be measured is. */
export function metricsPage() {
  const experiment = { ...makeExperiment(), warmup: 0 };
  const planned = planRuns(experiment);
  const book = createLiveBook({
    experiment,
    planned,
    finished: new Set(),
    runs: [],
    wallsOf: () => ({ slow: 50, hard: 100 }),
    deterministic: () => false,
    now: () => 0,
  });
  book.take({ type: 'run-start', planned: planned[0], done: 0, total: planned.length });
  const second = makeSecond({ outcomes: { ok: 1 }, portsPerAddress: [1], states: { ESTABLISHED: 1 }, memory: 1 });
  book.take({ type: 'sample', planned: planned[0], second });
  book.take({ type: 'machine', planned: planned[0], machine: 'a', second });
  const text = renderRunMetrics(book);
  const rows = [...text.matchAll(/^# HELP (\S+) (.+)\n# TYPE \S+ (\w+)\n\1(?:\{([^}]*)\})? /gm)].map(
    ([, name, help, type, labels]) => {
      const names = [...(labels ?? '').matchAll(/(\w+)="/g)].map(([, label]) => `\`${label}\``);
      return `| \`${name}\` | ${type} | ${names.join(', ')} | ${help} |`;
    },
  );
  return `# Metrics of a run

Made from the code by \`npm run schema\`; do not edit. \`bindstorm run --live PORT\` serves them at \`http://127.0.0.1:PORT/metrics\` in
the text format of Prometheus, from the start of the experiment to its end. Those of the gauge, \`bindstorm_watch_…\`, are in
[watch.md](watch.md#metrics).

| name | type | labels | what |
| ---- | ---- | ------ | ---- |
${rows.join('\n')}

A gauge that is not being measured is absent: between two runs there are no ports in use. Counters are there from the start, and every arm
has every outcome that any arm has, at 0 until it comes. The share of attempts that fail, by arm, those that have no failure included:

    sum by (variant) (rate(bindstorm_run_attempts_total{outcome!~"ok|shed"}[1m])) / sum by (variant) (rate(bindstorm_run_attempts_total[1m]))

A scrape configuration for a page on port 8080:

    scrape_configs:
      - job_name: bindstorm
        scrape_interval: 1s
        static_configs: [{ targets: ["127.0.0.1:8080"] }]
`;
}
