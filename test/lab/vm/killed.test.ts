/**
 * A controller that is killed at any instant leaves nothing of a User-Mode Linux guest: no process, no file, no mount. And what others
 * have left is none of our business.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { greetAgent } from '../../../src/lab/agent-channel.js';
import { bootGuest } from '../../../src/lab/vm/boot.js';
import { memoryFolder, withOwnMemory } from '../../../src/lab/vm/guest-memory.js';
import { scratchFolder, startCli, until } from '../../support/cli.js';
import { BOOT_MS, engineProcesses, KERNEL, planFor, SKIP } from '../../support/guests.js';
import { newMark } from '../../support/processes.js';

const PROFILE = `name: killed
addresses: { cidr: 10.50.0.0/24, count: 2 }
lab: { kind: vm, engine: uml, kernel: ${KERNEL} }
load: { hold: 0s, arrival: { shape: constant, rate: 50/s, duration: 60s } }
variants: [{ name: v }]
`;
/** After the first process of a guest is there; milliseconds. From before the kernel has its memory until the load is under way. */
const INSTANTS = [0, 20, 60, 200, 1_000, 4_000];
const PLACES = ['/dev/shm', '/mnt', '/media', '/srv', tmpdir()];

/** Files that a test beside this one makes in the folder for temporary files are told by their names. */
const listing = () =>
  PLACES.flatMap((place) => {
    try {
      return readdirSync(place).map((name) => join(place, name));
    } catch {
      return [];
    }
  }).filter((path) => /bindstorm-vm|uml|guest|linux|vm_file/.test(path));
const mounts = () => readFileSync('/proc/self/mounts', 'utf8');

it('a guest leaves nothing whenever its controller is killed', SKIP, async (t) => {
  await planFor('uml');
  const home = scratchFolder(t);
  writeFileSync(join(home, 'killed.yaml'), PROFILE);
  const before = { files: listing(), mounts: mounts() };
  for (const instant of INSTANTS) {
    const mark = newMark();
    const cli = startCli(['run', 'killed.yaml', '--quiet', '--force'], { cwd: home, env: mark.env });
    // Also unshare(1) and the shell that are to become the guest.
    const guests = () => mark.processes().filter(({ command }) => command.some((word) => word.startsWith('initrd=')));
    await until('a guest', () => guests().length > 0);
    await new Promise((resolve) => setTimeout(resolve, instant));
    cli.kill('SIGKILL');
    const { signal, stderr } = await cli.ended;
    assert.equal(signal, 'SIGKILL', `after ${instant} ms: ${stderr}`);
    await until(`nothing is left (${instant} ms)`, () => mark.processes().length === 0);
    assert.deepEqual({ files: listing(), mounts: mounts() }, before, `after ${instant} ms`);
  }
});

it("a folder that another's guest left is not touched, and bars nobody", SKIP, async (t) => {
  // As of versions that kept the memory of their guests in such folders, named after a process that is no more.
  const left = `/dev/shm/bindstorm-vm-${2 ** 22 - 1}-left`;
  mkdirSync(left, { mode: 0o700 });
  t.after(() => rmSync(left, { recursive: true, force: true }));
  const session = await greetAgent(bootGuest(await planFor('uml')), BOOT_MS);
  assert.ok(engineProcesses().length > 0);
  await session.close();
  assert.deepEqual(engineProcesses(), []);
  assert.ok(listing().includes(left));
});

it('the memory is mounted over a folder that the engine does not read', (t) => {
  const home = scratchFolder(t);
  const [first, second] = ['first', 'second'].map((name) => join(home, name)) as [string, string];
  for (const folder of [first, second]) mkdirSync(folder);
  const candidates = [join(home, 'none'), first, second];
  assert.equal(memoryFolder(['/usr/bin/linux'], candidates), first);
  assert.equal(memoryFolder([join(first, 'linux')], candidates), second);
  assert.equal(memoryFolder([`${first}er/linux`], candidates), first);
  assert.throws(() => memoryFolder([first, second], candidates), /^LabError: a guest needs a folder/);
});

it('the memory is nobody else’s and has room for all of the guest', () => {
  const command = withOwnMemory(['linux', 'mem=512M'], '/mnt', 2 ** 29);
  assert.match(command.join(' '), /\/mnt size=537919488,mode=0700,nosuid,nodev linux mem=512M$/);
});
