/**
 * `npm run bench:report`: what it takes to make all reports of an experiment again, in a process of its own, as `bindstorm report` does.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ReportSize, writeJournal } from './report-data.js';

const CLI = fileURLToPath(new URL('../bundle/cli/main.js', import.meta.url));
const SIZE: ReportSize = { variants: 12, repeat: 10, seconds: 60, addresses: 50 };
const ROUNDS = 5;
/** Says the process's peak of resident memory (KiB) and its CPU time (µs) when it ends. */
const PEAK =
  'data:text/javascript,process.on("exit",()=>{const u=process.resourceUsage();console.error("peak",u.maxRSS,"cpu",u.userCPUTime+u.systemCPUTime)})';

const dir = mkdtempSync(join(tmpdir(), 'bindstorm-bench-report-'));
try {
  writeJournal(dir, SIZE);
  const rounds = Array.from({ length: ROUNDS }, () => {
    const begun = performance.now();
    const { status, stderr } = spawnSync(process.execPath, ['--import', PEAK, CLI, 'report', dir], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`bindstorm report ended with ${status}: ${stderr}`);
    return {
      seconds: (performance.now() - begun) / 1000,
      mb: (Number(/peak (\d+)/.exec(stderr)?.[1]) * 1024) / 1e6,
      cpu: Number(/cpu (\d+)/.exec(stderr)?.[1]) / 1e6,
    };
  }).sort((a, b) => a.seconds - b.seconds);
  const mb = (name: string) => (statSync(join(dir, name)).size / 1e6).toFixed(2);
  process.stdout.write(`${SIZE.variants} variants and the baseline × ${SIZE.repeat} runs (and a warm-up) × ${SIZE.seconds} s, ${SIZE.addresses} addresses
journal.ndjson ${mb('journal.ndjson')} MB
bindstorm report: median ${rounds[ROUNDS >> 1]!.seconds.toFixed(2)} s, fastest ${rounds[0]!.seconds.toFixed(2)} s of ${ROUNDS}; CPU time at least ${Math.min(...rounds.map(({ cpu }) => cpu)).toFixed(2)} s; peak ${Math.max(...rounds.map((round) => round.mb)).toFixed(0)} MB
${readdirSync(dir)
  .filter((name) => statSync(join(dir, name)).isFile() && name !== 'journal.ndjson')
  .map((name) => `${name} ${mb(name)} MB`)
  .join('\n')}
`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
