/**
 * The catalogue against the running kernel: what a fresh network namespace shows as writable. Nothing is written.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { release } from 'node:os';
import { test } from 'node:test';
import { kernelSeries, parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { judgeSysctl } from '../../src/capacity/sysctl-catalogue.js';

const kernel = parseKernelVersion(release());
const flags = process.getuid?.() === 0 ? ['-n'] : ['-Urn'];

/** Name → whether the file can be written, for each file under /proc/sys/net of a new namespace. */
function freshNamespace(): Map<string, boolean> {
  const list = "cd /proc/sys && find net -type f -printf '%p %m\\n'";
  const text = execFileSync('unshare', [...flags, 'sh', '-c', list], { encoding: 'utf8' });
  return new Map(
    text
      .trim()
      .split('\n')
      .map((line) => {
        const [path, mode] = line.split(' ') as [string, string];
        const name = path.replace(/[./]/g, (separator) => (separator === '/' ? '.' : '/'));
        return [name, /[2367]/.test(mode.slice(-3, -2))] as const;
      }),
  );
}

test('what the catalogue allows, a fresh namespace shows as writable', () => {
  const files = freshNamespace();
  assert.ok(files.size > 100);
  for (const [name, writable] of files) {
    if (judgeSysctl(name, kernel, 'namespace').ok) assert.ok(writable, `${name} is allowed and read-only`);
  }
  assert.equal(files.get('net.ipv4.ip_local_port_range'), true);
});

test('what a fresh namespace of 6.18 shows as writable is allowed, but for the known exceptions', (t) => {
  if (kernelSeries(kernel) !== '6.18') return t.skip('the list was taken on 6.18');
  const exceptions =
    /^net\.(?:netfilter\.nf_hooks_lwtunnel|ipv[46]\.route\.(?:flush|gc_.*|max_size|min_adv_mss|mtu_expires|skip_notify_on_dev_down)|core\.xfrm_.*)$/;
  const missing = [...freshNamespace()]
    .filter(([name, writable]) => writable && !judgeSysctl(name, kernel, 'namespace').ok)
    .map(([name]) => name)
    .filter((name) => !exceptions.test(name));
  assert.deepEqual(missing, []);
});
