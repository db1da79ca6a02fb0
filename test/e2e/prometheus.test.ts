// needs: prometheus
/**
 * The metrics, alert rules and dashboard of the gauge, by the tools of Prometheus: promtool reads them, and a Prometheus that scrapes a watch at
 * work answers each query of the dashboard.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from '../../src/machine/programs.js';
import { fillNamespace, fillNat } from '../support/causes.js';
import { ROOT, scratchFolder, startCli } from '../support/cli.js';

const FOLDER = join(ROOT, 'dashboards');
const skip =
  findProgram('promtool') === undefined &&
  'program promtool not found; install it, for example: apt-get install --no-install-recommends prometheus';
const isRoot = process.getuid?.() === 0;

function promtool(args: readonly string[], input = ''): void {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: FOLDER, input, encoding: 'utf8' });
  assert.equal(status, 0, `${args.join(' ')}: ${stdout}${stderr}`);
}

test('promtool finds the alert rules right, and they fire when they are to', { skip }, () => {
  promtool(['check', 'rules', 'alerts.yml']);
  promtool(['test', 'rules', 'alerts.test.yml']);
});

interface Target {
  readonly expr: string;
}
interface Panel {
  readonly title: string;
  readonly targets: readonly Target[];
}

/** The queries of the dashboard, with the variables that a viewer chooses filled in. */
function dashboardQueries(): { title: string; query: string }[] {
  const { panels } = JSON.parse(readFileSync(join(FOLDER, 'bindstorm-watch.json'), 'utf8')) as { panels: Panel[] };
  return panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({ title, query: expr.replaceAll('$instance', '.*') })),
  );
}

/** Panels that have nothing to show as long as nothing is refused, or where nothing grows. */
const MAY_BE_EMPTY = new Set(['Refused a port, last 5 minutes', 'First to run out', 'Refused calls by program']);

test('a Prometheus that scrapes a watch answers every query of the dashboard', {
  skip: skip || (!isRoot && 'only root may look into all namespaces'),
}, async (t) => {
  const folder = scratchFolder(t);
  await fillNamespace(t, { reason: 'churn', sockets: 60, range: '40000 40099' });
  await fillNat(t);
  const [port, own] = [await freePort(), await freePort()];
  const watch = startCli(['watch', '--all', '--interval', '500ms', '--metrics', String(port)], { cwd: ROOT });
  t.after(() => watch.kill('SIGKILL'));
  const metrics = await eventually(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    return answer.ok ? answer.text() : null;
  }, watch.stderr);
  promtool(['check', 'metrics'], metrics);

  const config = join(folder, 'prometheus.yml');
  writeFileSync(
    config,
    `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [${join(FOLDER, 'alerts.yml')}]
scrape_configs:
  - job_name: bindstorm
    static_configs: [{ targets: ["127.0.0.1:${port}"] }]
`,
  );
  const prometheus = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${own}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder },
  );
  let said = '';
  prometheus.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  t.after(async () => {
    prometheus.kill('SIGKILL');
    if (prometheus.exitCode === null && prometheus.signalCode === null) await once(prometheus, 'exit');
  });
  const ask = async (query: string) => {
    const answer = await fetch(`http://127.0.0.1:${own}/api/v1/query?query=${encodeURIComponent(query)}`);
    return (await answer.json()) as {
      status: string;
      error?: string;
      data: { result: { metric: object; value: [number, string] }[] };
    };
  };
  await eventually(
    async () => ((await ask('bindstorm_watch_looks_total > 2')).data?.result.length ?? 0) > 0 || null,
    () => said,
  );
  const queries = dashboardQueries();
  assert.ok(queries.length >= 15);
  for (const { title, query } of queries) {
    const { status, error } = await ask(query);
    assert.equal(status, 'success', `${title}: ${query}: ${error}`);
    if (MAY_BE_EMPTY.has(title)) continue;
    // A rate is there from the second sample on.
    await eventually(
      async () => ((await ask(query)).data.result.length > 0 ? true : null),
      () => `${title} has nothing to show: ${query}`,
    );
  }
  const churn = await ask('bindstorm_watch_cause{class="churn"} == 1');
  assert.ok(churn.data.result.length >= 1, 'the namespace that churns is told');
  const rules = (await (await fetch(`http://127.0.0.1:${own}/api/v1/rules`)).json()) as {
    data: { groups: { rules: { name: string; health: string }[] }[] };
  };
  for (const { name, health } of rules.data.groups.flatMap((group) => group.rules))
    assert.equal(health, 'ok', `${name} is ${health}`);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** The first answer that is not null. */
async function eventually<T>(look: () => Promise<T | null>, said: () => string): Promise<T> {
  for (let i = 0; i < 300; i++) {
    const found = await look().catch(() => null);
    if (found !== null) return found;
    await sleep(100);
  }
  throw new Error(`nothing came: ${said()}`);
}
