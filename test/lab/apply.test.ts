/**
 * The commands of a drop-in's comment, as they stand there, by the programs that read sysctl.d: in a network namespace for the values
 * and a mount namespace in which the folders of sysctl.d are empty, so that nothing of this machine is read or written.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Apply, applyOf } from '../../src/report/apply.js';
import { scratchFolder } from '../support/cli.js';
import { realSizeResults } from '../support/results.js';

const RANGE = 'net.ipv4.ip_local_port_range';
const RESERVED = 'net.ipv4.ip_local_reserved_ports';
const SYSTEMD = ['/usr/lib/systemd/systemd-sysctl', '/lib/systemd/systemd-sysctl'].find(existsSync);
/** What reads all of sysctl.d at boot. */
const READERS = [
  {
    name: 'procps',
    command: 'sysctl --system',
    skip: spawnSync('sysctl', ['--version']).error ? 'there is no sysctl(8)' : false,
  },
  { name: 'systemd-sysctl', command: SYSTEMD ?? '', skip: SYSTEMD === undefined && 'there is no systemd-sysctl' },
];

/** A user namespace too: what is not of the network namespace cannot be written there, whatever a command does. */
const UNSHARE = ['--user', '--map-root-user', '--mount', '--net', '--'];
const noNamespace =
  ['/etc/sysctl.d', '/etc/sysctl.conf'].flatMap((path) => (existsSync(path) ? [] : [`${path} does not exist`]))[0] ??
  (spawnSync('unshare', [...UNSHARE, 'true']).status !== 0 && 'namespaces cannot be made here (unshare -rmn)');

/** Two sysctls, of which one is empty before. */
function files(): Extract<Apply, { kind: 'files' }> {
  const results = realSizeResults();
  const variant = results.variants[1]!;
  variant.sysctls[RESERVED] = '8080,9000-9010';
  for (const run of variant.runs) run.sysctls[RESERVED] = '8080,9000-9010';
  const apply = applyOf(results);
  assert.ok(apply.kind === 'files', apply.kind === 'none' ? apply.reason : '');
  return apply;
}

/** Shell text in the namespaces, in a folder with the two files and `conf`, a copy of /etc/sysctl.conf for it. */
function inNamespaces(t: TestContext, text: string, conf = '') {
  const cwd = scratchFolder(t);
  const { name, dropIn, rollback } = files();
  for (const [file, content] of [
    [name, dropIn],
    [`${name}.rollback`, rollback],
    ['sysctl.conf', conf],
  ] as const)
    writeFileSync(join(cwd, file), content);
  mkdirSync(join(cwd, 'empty'));
  const hide = `for folder in /etc/sysctl.d /run/sysctl.d /usr/local/lib/sysctl.d /usr/lib/sysctl.d /lib/sysctl.d; do
  test ! -d "$folder" || mount -t tmpfs none "$folder" || exit 90
done
test ! -e /etc/sysctl.conf || mount --bind sysctl.conf /etc/sysctl.conf || exit 90
ln -s ../sysctl.conf /etc/sysctl.d/99-sysctl.conf
show() { sysctl ${RANGE} ${RESERVED}; }
`;
  const result = spawnSync('unshare', [...UNSHARE, 'sh', '-c', hide + text], { cwd, encoding: 'utf8' });
  assert.notEqual(result.status, 90, result.stderr);
  return result;
}

/** The command that the comment says after a line. */
function command(before: RegExp): string {
  const lines = files().dropIn.split('\n');
  const found = lines[lines.findIndex((line) => before.test(line)) + 1] ?? '';
  assert.ok(found.startsWith('#   '), `no command after ${before}`);
  return found.slice(4);
}

const whoElse = () => command(/^# Who else sets it/);
const record = () => command(/^# Record/);
const apply = () => command(/^# Apply/);
const check = () => command(/^# Check now/);
const goBack = () => command(/^# Go back/);
const APPLIED = `${RANGE} = 1024\t65535\n${RESERVED} = 8080,9000-9010\n`;

describe('a drop-in', { skip: noNamespace }, () => {
  for (const { name, command: boot, skip } of READERS) {
    it(`read by ${name}: applied, in force after a boot too, rolled back, and all is as before`, { skip }, (t) => {
      const text = `sysctl -qw ${RANGE}='20000 50000'
show > before
${record()} && ${apply()} >/dev/null || exit 1
show; ${check()}
# A boot: the kernel's own values, then whatever is in the folders.
sysctl -qw ${RANGE}='32768 60999' ; printf '\\n' > /proc/sys/net/ipv4/ip_local_reserved_ports
echo boot; ${check()}
${boot} >/dev/null
show; ${check()}
# Applied again: what was recorded first stays.
${record()} && ${apply()} >/dev/null
${goBack()} || exit 1
show | diff before - && ls /etc/sysctl.d`;
      const { stdout, stderr, status } = inNamespaces(t, text, `${RANGE} = 32768 61000\n`);
      const lost = `boot\nnot in force: ${RANGE} = 1024 65535\nnot in force: ${RESERVED} = 8080,9000-9010\n`;
      const [first, after] = stdout.split(lost);
      assert.equal(first, APPLIED, stderr);
      assert.ok(after, `the check that can fail did not: ${stdout}`);
      // sysctl.conf has the last word with procps, which the comment says to look for.
      const range = name === 'procps' ? '32768\t61000' : '1024\t65535';
      assert.ok(after.startsWith(APPLIED.replace('1024\t65535', range)), after);
      assert.equal(after.includes(`not in force: ${RANGE}`), name === 'procps', after);
      assert.match(after, /As before\.\n99-sysctl\.conf\n$/);
      assert.equal(status, 0, stderr);
    });
  }

  it('tells who else sets a name, however it is written, and nobody where nobody does', (t) => {
    const found = inNamespaces(
      t,
      `echo 'net/ipv4/ip_local_port_range=1 2' > /etc/sysctl.d/10-a.conf; cp zz-*.conf /etc/sysctl.d/; ${whoElse()}`,
      `# ${RANGE} = 5 6\n  -${RANGE} = 3 4\nnet.ipv4.ip_local_port_range_x = 1\n`,
    );
    const where = found.stdout.split('\n').map((line) => line.split(':')[0]);
    assert.deepEqual(where.sort(), ['', '/etc/sysctl.conf', '/etc/sysctl.d/10-a.conf'], found.stdout);
    assert.equal(inNamespaces(t, whoElse(), '# nothing\n').stdout, '');
  });

  it('rolled back, warns of another file that sets the same, and only of one that is read', (t) => {
    const roll = (before: string) =>
      inNamespaces(t, `${record()} && ${apply()} >/dev/null || exit 1\n${before}\n${goBack()}`, '# nothing\n');
    const pasted = roll(`cp /etc/sysctl.d/zz-bindstorm-wider-range.conf /etc/sysctl.d/zz-ports.conf
cp /etc/sysctl.d/zz-ports.conf /etc/sysctl.d/zz-bindstorm-other.conf; cp /etc/sysctl.d/zz-ports.conf /etc/sysctl.d/old.conf.bak`);
    assert.equal(pasted.status, 0, pasted.stderr);
    assert.match(pasted.stdout, /As before\.\n$/);
    assert.match(pasted.stderr, /^Beware: these lines set the same at the next boot/);
    const found = pasted.stderr.split('\n').flatMap((line) => /^\/etc\/sysctl\.d\/([^:]+):/.exec(line)?.[1] ?? []);
    assert.deepEqual([...new Set(found)].sort(), ['zz-bindstorm-other.conf', 'zz-ports.conf'], pasted.stderr);
    assert.equal(roll('true').stderr, '');
  });

  it('is not rolled back to what nobody recorded, and says so', (t) => {
    const { stdout, stderr, status } = inNamespaces(t, `show; ${goBack()}; code=$?; show; exit $code`);
    assert.equal(status, 1);
    assert.match(stderr, /before does not exist, so it is not known what was in force.*Nothing was changed/);
    const half = stdout.length / 2;
    assert.equal(stdout.slice(0, half), stdout.slice(half));
  });

  it('keeps the record where a value could not be put back', (t) => {
    const text = `${record()} && ${apply()} >/dev/null
echo '${RANGE} = 7 5' >> /etc/sysctl.d/zz-bindstorm-wider-range.before
${goBack()}; code=$?; ls /etc/sysctl.d; exit $code`;
    const { stdout, stderr, status } = inNamespaces(t, text);
    assert.equal(status, 1);
    assert.match(stderr, /These values are not as before/);
    assert.match(stdout, /zz-bindstorm-wider-range\.before\n$/);
  });
});
