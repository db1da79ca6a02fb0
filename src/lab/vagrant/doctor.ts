/**
 * What `bindstorm doctor` says of the Vagrant lab: the program, its providers, and boxes that a killed run has left.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findProgram } from '../../machine/programs.js';
import { type Finding, ok, warning } from '../finding.js';
import { leftBoxes } from './box.js';
import { VAGRANT_REMEDY } from './command.js';
import { missingPrograms } from './vagrant.js';

const OTHERS = 'only --lab vagrant needs it';

/** Nothing here is a must: the other labs work without it. Brings nothing up. */
export async function examineVagrant(): Promise<Finding[]> {
  const missing = missingPrograms();
  if (missing.length > 0) return [ok('vagrant', `not here (${missing.join(', ')}); ${OTHERS}`, VAGRANT_REMEDY)];
  const left = (await leftBoxes()).map(({ box, since }) =>
    warning('vagrant boxes', `a run of ${since} was killed and has left the box ${box} up`, 'bindstorm restore'),
  );
  return [version(), providers(), ...left];
}

function version(): Finding {
  const { status, stdout, stderr } = spawnSync('vagrant', ['--version'], { encoding: 'utf8' });
  return status === 0
    ? ok('vagrant', stdout.trim())
    : warning('vagrant', `it does not start: ${stderr.trim()}`, OTHERS);
}

function providers(): Finding {
  const what = 'vagrant providers';
  const found = [...libvirt(), ...(findProgram('VBoxManage') === undefined ? [] : ['virtualbox'])];
  if (found.length > 0) return ok(what, found.join(', '));
  return warning(what, 'none: neither libvirt (vagrant-libvirt) nor VirtualBox', VAGRANT_REMEDY);
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
