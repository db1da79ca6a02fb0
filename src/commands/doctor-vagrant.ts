/**
 * What `bindstorm doctor` says of the Vagrant lab: the program, its providers, and boxes that a killed run has left.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { leftBoxes } from '../lab/vagrant/box.js';
import { VAGRANT_REMEDY } from '../lab/vagrant/command.js';
import { missingPrograms } from '../lab/vagrant/vagrant.js';
import { findProgram } from '../machine/programs.js';
import type { VmFinding } from './doctor-vm.js';

const OTHERS = 'only --lab vagrant needs it';

/** Nothing here is a must: the other labs work without it. Brings nothing up. */
export async function examineVagrant(): Promise<VmFinding[]> {
  const missing = missingPrograms();
  if (missing.length > 0)
    return [
      {
        what: 'vagrant',
        state: 'ok',
        detail: `not here (${missing.join(', ')}); ${OTHERS}`,
        remedy: VAGRANT_REMEDY,
      },
    ];
  return [version(), providers(), ...(await left())];
}

function version(): VmFinding {
  const { status, stdout, stderr } = spawnSync('vagrant', ['--version'], { encoding: 'utf8' });
  if (status === 0) return { what: 'vagrant', state: 'ok', detail: stdout.trim(), remedy: null };
  return { what: 'vagrant', state: 'warning', detail: `it does not start: ${stderr.trim()}`, remedy: OTHERS };
}

function providers(): VmFinding {
  const what = 'vagrant providers';
  const found = [...libvirt(), ...(findProgram('VBoxManage') === undefined ? [] : ['virtualbox'])];
  return found.length > 0
    ? { what, state: 'ok', detail: found.join(', '), remedy: null }
    : {
        what,
        state: 'warning',
        detail: 'none: neither libvirt (vagrant-libvirt) nor VirtualBox',
        remedy: VAGRANT_REMEDY,
      };
}

/** Vagrant's plugin, and whether the daemon that it talks to listens on this machine. */
function libvirt(): string[] {
  const { stdout } = spawnSync('vagrant', ['plugin', 'list'], { encoding: 'utf8' });
  const plugin = /^vagrant-libvirt \(([^,)]+)/m.exec(stdout ?? '')?.[1];
  if (plugin === undefined) return [];
  const daemon = ['/run/libvirt/libvirt-sock', '/run/libvirt/virtqemud-sock'].some((path) => existsSync(path));
  const kvm = existsSync('/dev/kvm') ? '' : ', without KVM: slow';
  return [`libvirt (plugin ${plugin}, ${daemon ? 'libvirtd listens' : 'but no libvirtd listens here'}${kvm})`];
}

async function left(): Promise<VmFinding[]> {
  return (await leftBoxes()).map(({ box, since }) => ({
    what: 'vagrant boxes',
    state: 'warning',
    detail: `a run of ${since} was killed and has left the box ${box} up`,
    remedy: 'bindstorm restore',
  }));
}
