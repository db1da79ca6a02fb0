/**
 * Programs that behave badly, or want what a lab does not have: each is a bounded result or one clear error, and nothing of it is left.
 */
// needs: strace
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Measurement } from '../../src/agent/protocol.js';
import { findProgram } from '../../src/machine/programs.js';
import { type ProgramSettings, program } from '../../src/subjects/program/program.js';
import { runCli, scratchFolder } from '../support/cli.js';
import { labArm, measure } from '../support/lab.js';
import { mayHaveNamespaces, ordinaryUser } from '../support/ordinary-user.js';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** What a shell does, to its end. */
function shell(script: string, settings: Partial<ProgramSettings> = {}): Promise<Measurement> {
  const arm = labArm({ load: { protocol: 'get', arrival: { shape: 'own', attempts: null } } });
  return measure({ ...arm, proxy: { ...program.defaults, command: ['sh', '-c', script], ...settings } });
}

const printed = ({ proxy }: Measurement) => proxy?.tail;

describe('a program that wants what a lab does not have', () => {
  it('a terminal: it has none, also where bindstorm has one, and its input is empty', async (t) => {
    const cwd = scratchFolder(t);
    const script =
      'test -t 0 || echo no input; read line || echo no line; (: < /dev/tty) 2>/dev/null || echo no terminal; exit 4';
    writeFileSync(join(cwd, 'job.sh'), script);
    const terminal = findProgram('script');
    if (terminal === undefined) return t.skip('there is no script(1) to give a terminal');
    const { code, stdout } = await runCli(['try', '--for', '60s', '--', 'sh', 'job.sh'], {
      cwd,
      within: ['sh', '-c', `exec '${terminal}' --quiet --return --command "$(printf "'%s' " "$@")" /dev/null`, 'sh'],
    });
    assert.equal(code, 2, stdout);
    assert.match(stdout, /it ended with code 4; the end of what it printed:\s+no input\s+no line\s+no terminal/);
  });

  it('the rights of a setuid program: it has those of its caller', {
    skip: !isRoot && 'only root can make such a program',
  }, async (t) => {
    const folder = scratchFolder(t);
    const id = join(folder, 'id');
    copyFileSync('/usr/bin/id', id);
    chownSync(id, 0, 0);
    chmodSync(id, 0o4755);
    chmodSync(folder, 0o755);
    const run = await shell(`${id} -u; ${id} -ru`, { user: 'nobody' });
    assert.deepEqual(printed(run), [String(NOBODY), String(NOBODY)]);
  });

  it('a user who is not there', { skip: !isRoot && 'only root can choose one' }, async () => {
    await assert.rejects(
      shell('true', { user: 'no-such-user' }),
      /there is no user no-such-user on this machine; name another, or remove user/,
    );
  });

  it('another user than its caller, who is not root', async (t) => {
    const user = await ordinaryUser(t);
    if (typeof user === 'string') return t.skip(user);
    if (!mayHaveNamespaces(user)) return t.skip('user namespaces are forbidden here');
    writeFileSync(
      join(user.cwd, 'own.yaml'),
      `name: own\nsubject: { kind: program, command: [sh, -c, 'true'], user: daemon }\naddresses: { list: [10.50.0.1] }\nload: { arrival: { shape: own } }\nrepeat: 1\nwarmup: 0\nvariants: [{ name: v }]\n`,
    );
    const end = await runCli(['run', 'own.yaml', '--force'], user);
    assert.match(
      end.stdout + end.stderr,
      /only root can run a program as somebody else \(user: daemon\); remove user, or start bindstorm as root/,
    );
    assert.notEqual(end.code, 0);
  });

  it('the time: it is that of the machine, and a program that goes by it is compared by statistics', async (t) => {
    const before = Date.now();
    const run = await shell('date +%s%3N');
    const [then] = printed(run)!;
    assert.ok(before <= Number(then) && Number(then) <= Date.now(), then);
    const cwd = scratchFolder(t);
    // So many requests as its clock and its process number say.
    const job =
      'for i in $(seq $(( ($$ + $(date +%N | cut -c1-5 | sed "s/^0*//")) % 9 + 1 ))); do exec 3<>/dev/tcp/203.0.113.7/80; printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3; done';
    writeFileSync(
      join(cwd, 'clock.yaml'),
      `${JSON.stringify({
        name: 'clock',
        subject: { kind: 'program', command: ['bash', '-c', job] },
        addresses: { list: ['10.50.0.1'] },
        load: { arrival: { shape: 'own' } },
        goal: 'ports.perRequest',
        repeat: 3,
        warmup: 0,
        variants: [{ name: 'same' }],
      })}\n`,
    );
    const end = await runCli(['run', 'clock.yaml', '--json', '--force'], { cwd });
    assert.equal(end.code, 0, end.stderr);
    const { variants } = JSON.parse(end.stdout) as { variants: { runs: { attempts: number }[]; verdict: unknown }[] };
    const counts = variants.flatMap(({ runs }) => runs.map(({ attempts }) => attempts));
    assert.ok(new Set(counts).size > 1, `${counts}`);
    // The goal itself is the same in each run, and so are its ports for each request: nothing is claimed.
    assert.doesNotMatch(JSON.stringify(variants[1]!.verdict), /"verdict":"(?:better|worse)"/);
  });
});

describe('a program that writes', () => {
  it('more than there is room for: it is told so, and nothing is on the disk', async () => {
    const name = `/tmp/bindstorm-big-${process.pid}`;
    const run = await shell(`head -c 700000000 /dev/zero > ${name} || echo full; wc -c < ${name}`);
    const tail = printed(run)!;
    assert.ok(tail.includes('full') && tail.some((line) => /No space left/.test(line)), tail.join('\n'));
    assert.ok(Number(tail.at(-1)) <= 512 * 2 ** 20, tail.at(-1));
    assert.ok(!existsSync(name));
  });

  it('into its folder, its home and elsewhere: kept where the profile says so, else only seemingly or not at all', async (t) => {
    const workdir = scratchFolder(t);
    mkdirSync(join(workdir, 'out'));
    const script =
      'echo kept > out/a; echo gone > b; cat b; echo gone > "$HOME/bindstorm-c" && cat "$HOME/bindstorm-c"; echo x > /etc/bindstorm-d || echo refused; echo x > /dev/shm/e; cat /dev/shm/e';
    const run = await shell(script, { workdir, writes: [join(workdir, 'out')] });
    assert.deepEqual(
      printed(run)!.filter((line) => !/Read-only/.test(line)),
      ['gone', 'gone', 'refused', 'x'],
    );
    assert.deepEqual([readdirSync(workdir), readFileSync(join(workdir, 'out/a'), 'utf8')], [['out'], 'kept\n']);
    for (const path of ['/etc/bindstorm-d', '/dev/shm/e', join(process.env.HOME!, 'bindstorm-c')])
      assert.ok(!existsSync(path), path);
  });

  it('millions of lines: the last are kept, and its run ends', async () => {
    const run = await shell('yes 0123456789 | head -n 3000000; echo last');
    assert.equal(run.proxy?.printed, 33_000_005);
    assert.equal(printed(run)!.at(-1), 'last');
    assert.ok(printed(run)!.length < 1000);
  });
});

describe('a program that goes away', () => {
  it('leaves its work to a process in the background, which is ended with the run', async (t: TestContext) => {
    const folder = scratchFolder(t);
    const run = await shell(`(setsid sh -c 'sleep 300; touch ${folder}/late' &) ; echo started`, { writes: [folder] });
    assert.deepEqual([printed(run), run.proxy?.ended], [['started'], 'ended with code 0']);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('kills itself', async () => {
    const { proxy, problems } = await shell('kill -SEGV $$');
    assert.deepEqual([proxy?.ended, problems], ['was killed by SIGSEGV', []]);
  });
});
