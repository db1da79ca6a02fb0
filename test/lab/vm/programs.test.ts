// needs: strace, squid
/**
 * Programs of the user's in a guest; a proxy that its guest has no memory for; and sysctls of the whole kernel under a proxy.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { type Results, resultsSchema } from '../../../src/results/schema.js';
import { runCli, scratchFolder } from '../../support/cli.js';
import { KERNEL, SKIP } from '../../support/guests.js';

const HEAD = `name: inside
lab: { kind: vm, kernel: ${KERNEL} }
addresses: { list: [10.50.0.1] }
repeat: 1
warmup: 0
guardrails: []
`;
/** Thirty requests one after the other, each by a connection of its own. */
const GETS = `const http = require('node:http');
const [host, port] = process.argv[2].split(':');
const get = (left) => left > 0 && http.get({ host, port, agent: new http.Agent({ keepAlive: true }) }, (answer) => {
  answer.resume();
  answer.once('close', () => { answer.socket.destroy(); setImmediate(get, left - 1); });
}).once('error', () => setImmediate(get, left - 1));
get(30);
`;

function resultsOf({ code, stdout, stderr }: Awaited<ReturnType<typeof runCli>>): Results {
  assert.equal(code, 0, stderr);
  const { folder, ...results } = JSON.parse(stdout) as Results & { folder: string };
  return resultsSchema.parse(results);
}

it('a program that drives itself runs out of ports in a guest', SKIP, async (t) => {
  const cwd = scratchFolder(t);
  writeFileSync(join(cwd, 'gets.js'), GETS);
  writeFileSync(
    join(cwd, 'inside.yaml'),
    `${HEAD}subject: { kind: program, command: [node, gets.js, "{origin}"], workdir: . }
load: { protocol: get, arrival: { shape: own } }
sysctls: { net.ipv4.ip_local_port_range: 40000 40019 }
variants: [{ name: wider, sysctls: { net.ipv4.ip_local_port_range: 40000 40099 } }]
`,
  );
  const { variants } = resultsOf(
    await runCli(['run', 'inside.yaml', '--json', '--quiet', '--force'], { cwd, deadlineMs: 300_000 }),
  );
  assert.deepEqual(
    variants.map(({ runs }) => runs.map(({ outcomes, problems }) => [outcomes, problems])),
    [[[{ ok: 20, 'connect:EADDRNOTAVAIL': 10 }, []]], [[{ ok: 30 }, []]]],
  );
});

it('under a proxy a sysctl of the whole kernel is set where the kernel has it', SKIP, async (t) => {
  const cwd = scratchFolder(t);
  writeFileSync(
    join(cwd, 'inside.yaml'),
    `${HEAD}subject: { kind: squid }
load: { arrival: { shape: fill, attempts: 30 }, timeout: 60s }
sysctls: { net.ipv4.ip_local_port_range: 40000 40019, net.core.netdev_max_backlog: 1234, vm.swappiness: 11 }
variants: [{ name: wider, sysctls: { net.ipv4.ip_local_port_range: 40000 40099 } }]
`,
  );
  const { variants } = resultsOf(
    await runCli(['run', 'inside.yaml', '--json', '--quiet', '--force'], { cwd, deadlineMs: 300_000 }),
  );
  for (const [i, ok] of [20, 30].entries()) {
    const [run] = variants[i]!.runs;
    assert.equal(run?.outcomes.ok, ok);
    assert.deepEqual([run.sysctls['net.core.netdev_max_backlog'], run.sysctls['vm.swappiness']], ['1234', '11']);
  }
});

it('a proxy that has no memory left in its guest is a failed run that says so', SKIP, async (t) => {
  const cwd = scratchFolder(t);
  writeFileSync(join(cwd, 'eat.js'), 'const all = [];\nfor (;;) all.push(Buffer.alloc(2 ** 24, 1));\n');
  writeFileSync(
    join(cwd, 'inside.yaml'),
    `${HEAD}subject: { kind: program, command: [node, eat.js], workdir: ., ready: { listen: 8080 } }
load: { protocol: get, arrival: { shape: fill, attempts: 5 } }
variants: [{ name: wider, sysctls: { net.ipv4.ip_local_port_range: 40000 40099 } }]
`,
  );
  const { code, stdout, stderr } = await runCli(['run', 'inside.yaml', '--json', '--quiet', '--force'], {
    cwd,
    deadlineMs: 300_000,
  });
  assert.equal(code, 4, stderr);
  const { variants } = JSON.parse(stdout) as Results;
  assert.match(
    variants[0]!.runs[0]!.problems[0]!,
    /^the program was killed by SIGKILL, as its machine was out of memory before it listened/,
  );
});
