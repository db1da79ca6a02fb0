/**
 * `bindstorm doctor`: what this machine can do, each line with the remedy.
 */
import { spawnSync } from 'node:child_process';
import { release } from 'node:os';
import type { Command } from 'commander';
import { staleSnapshots } from '../agent/place/host-guard.js';
import { descriptorLimit } from '../agent/place/limits.js';
import type { Check } from '../agent/protocol.js';
import { STRATEGY_NAMES } from '../domain/strategy.js';
import { unsupportedPlatform } from '../kernel/libc.js';
import type { Lab } from '../lab/lab.js';
import { netnsLab } from '../lab/netns.js';
import { labRemedy } from '../lab/remedy.js';
import { stateDirectory } from '../machine/folders.js';
import { PROXY } from '../subjects/defaults.js';
import { examineProgram } from '../subjects/running/program.js';
import { PROXY_KINDS } from '../subjects/settings.js';
import { examineVagrant } from './doctor-vagrant.js';
import { examineVm } from './doctor-vm.js';
import { EXIT } from './exit.js';

interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'warning' | 'missing';
  readonly detail: string;
  /** What to do about it; null when nothing needs doing. */
  readonly remedy: string | null;
}

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('what this machine can do, and what to do about what it cannot')
    .option('--json', 'as JSON', false)
    .addHelpText('after', '\nExample:\n  bindstorm doctor\n\nExit code 3 when experiments cannot run here, else 0.')
    .action(async ({ json }: { json: boolean }) => {
      const findings = await examine();
      process.stdout.write(json ? `${JSON.stringify(findings)}\n` : render(findings));
      process.exitCode = findings.some(({ state }) => state === 'missing') ? EXIT.noLab : EXIT.ok;
    });
}

async function examine(): Promise<Finding[]> {
  const platform = unsupportedPlatform();
  const first: Finding[] = [
    finding(
      'platform',
      platform === undefined ? 'ok' : 'missing',
      platform ?? `Linux ${release()} on ${process.arch}, Node ${process.versions.node}`,
      null,
    ),
    program('unshare', 'util-linux'),
    program('setpriv', 'util-linux'),
    descriptors(),
    hostState(),
  ];
  if (first.some(({ state }) => state === 'missing')) return first;
  return [
    ...first,
    ...(await examineLab(netnsLab())),
    ...(await examineProxies()),
    ...(await examineVm()),
    ...(await examineVagrant()),
  ];
}

function program(name: string, debianPackage: string): Finding {
  const { status, stdout } = spawnSync(name, ['--version'], { encoding: 'utf8' });
  if (status === 0) return finding(name, 'ok', stdout.trim(), null);
  return finding(name, 'missing', 'not found', `install ${debianPackage}, as with: apt-get install ${debianPackage}`);
}

/** Proxies are wanted only by profiles that have one as their subject. */
function examineProxies(): Promise<Finding[]> {
  return Promise.all(
    PROXY_KINDS.map(async (kind) => {
      const found = await examineProgram({ kind, binary: PROXY[kind].binary });
      return found.ok
        ? finding(kind, 'ok', `${found.version ?? 'of unknown version'} (${found.path})`, null)
        : finding(kind, 'warning', 'not found: profiles with this subject cannot run', found.remedy);
    }),
  );
}

function descriptors(): Finding {
  const limit = descriptorLimit();
  const detail = `${limit.toLocaleString('en')} per process: about ${Math.max(limit - 1000, 0).toLocaleString('en')} connections held open at once`;
  return limit >= 65_536
    ? finding('descriptors', 'ok', detail, null)
    : finding(
        'descriptors',
        'warning',
        detail,
        'more held connections need a higher limit: ulimit -Hn, /etc/security/limits.conf or LimitNOFILE=. Short connections do not',
      );
}

function hostState(): Finding {
  const stale = staleSnapshots();
  return stale.length === 0
    ? finding('host lab', 'ok', `nothing to restore (${stateDirectory()})`, null)
    : finding('host lab', 'warning', 'a killed host run has left sysctls changed', 'bindstorm restore');
}

async function examineLab(lab: Lab): Promise<Finding[]> {
  let check: Check;
  const begun = performance.now();
  try {
    const session = await lab.open('check');
    session.send({
      type: 'check',
      sysctls: [['net.ipv4.ip_local_port_range', '40000 40099']],
      strategies: STRATEGY_NAMES,
      addresses: ['10.50.0.1'],
      clocks: false,
    });
    const event = await session.next();
    await session.close();
    if (event.type !== 'checked') throw new Error(event.type === 'failed' ? event.message : `unexpected ${event.type}`);
    check = event.check;
  } catch (error) {
    return [
      finding('network namespaces', 'missing', error instanceof Error ? error.message : String(error), labRemedy()),
    ];
  }
  const missing = check.strategies.filter((strategy) => strategy.missing !== null);
  const [sysctl] = check.sysctls;
  return [
    finding(
      'network namespaces',
      'ok',
      `${lab.description}, up and down in ${Math.round(performance.now() - begun)} ms`,
      null,
    ),
    check.veth.available
      ? finding('veth', 'ok', 'client and origin get a namespace each', null)
      : finding(
          'veth',
          'warning',
          `${check.veth.errno}: client and origin will share one namespace`,
          'load the module: modprobe veth',
        ),
    sysctl?.readBack
      ? finding('sysctls', 'ok', 'writable in the namespace', null)
      : finding(
          'sysctls',
          'missing',
          `net.ipv4.ip_local_port_range cannot be written in a fresh namespace (${sysctl?.errno})`,
          'in a container, /proc/sys must not be mounted read-only: run it with --privileged, or outside',
        ),
    missing.length === 0
      ? finding('strategies', 'ok', `all ${STRATEGY_NAMES.length}`, null)
      : finding(
          'strategies',
          'warning',
          `not on this kernel: ${missing.map(({ name, missing: why }) => `${name} (${why})`).join(', ')}`,
          'leave these variants out, or use a newer kernel',
        ),
  ];
}

function finding(what: string, state: Finding['state'], detail: string, remedy: string | null): Finding {
  return { what, state, detail, remedy };
}

function render(findings: readonly Finding[]): string {
  const marks = { ok: 'ok', warning: 'note', missing: 'MISSING' } as const;
  const width = Math.max(...findings.map(({ what }) => what.length));
  return findings
    .map(({ what, state, detail, remedy }) => {
      const line = `${marks[state].padEnd(8)}${what.padEnd(width + 2)}${detail}\n`;
      return remedy ? `${line}${' '.repeat(width + 10)}→ ${remedy}\n` : line;
    })
    .join('');
}
