/**
 * The Vagrant lab: one box for the whole experiment; each run starts a fresh agent in it over ssh, in namespaces of its own. What a run
 * changes of the box itself is restored by the agent (agent/place/box-guard.ts) or by a snapshot.
 */

import { DIE_WITH_PARENT } from '../../machine/parent-death.js';
import { findProgram } from '../../machine/programs.js';
import type { Box } from '../../plan/box.js';
import type { ProxySettings } from '../../subjects/index.js';
import { type Deadlines, startAgent } from '../agent-process.js';
import { abortable } from '../interrupts.js';
import { type Lab, LabError, type Note } from '../lab.js';
import {
  boxStatus,
  bringUp,
  hasProgram,
  isThere,
  leftBoxes,
  provision,
  putAway,
  revert,
  saveSnapshot,
  sshTarget,
} from './box.js';
import { VAGRANT_REMEDY, type VagrantFolder, vagrantFolder } from './command.js';
import { boxImage, startScript } from './image.js';
import { type BoxRecord, claim, recordOf } from './record.js';
import { type SshTarget, sshCommand } from './ssh-config.js';

/** Without KVM, ssh and the start of Node take some ten seconds each on a busy machine. */
const DEADLINES: Deadlines = { hello: 180_000, close: 30_000 };

interface Ready {
  readonly ssh: SshTarget;
  /** The path of the script that starts the agent. */
  readonly start: string;
}

/** @param note called with a message before slow steps @param subjects whose programs the box is sent */
export function vagrantLab(box: Box, note: Note, subjects: readonly ProxySettings[] = []): Lab {
  const place = vagrantFolder();
  let provider: string | undefined;
  /** Set once the box is ours to put away. */
  let record: BoxRecord | undefined;
  let ready: Promise<Ready> | undefined;
  let used = false;

  async function prepare(signal: AbortSignal): Promise<Ready> {
    const missing = missingPrograms();
    if (missing.length > 0)
      throw new LabError(`a Vagrant box needs ${missing.join(', ')}, not found on the PATH`, {
        remedy: VAGRANT_REMEDY,
      });
    const image = boxImage(subjects);
    await finishEarlier(box.name, place, note);
    const status = await boxStatus(box.name, place);
    provider = status.provider;
    refuseForeign(box, place, isThere(status));
    record = claim(box.name, place, box.after, isThere(status));
    const options = { place, signal, env: { BINDSTORM_IMAGE: image.path, BINDSTORM_IMAGE_KEY: image.key } };
    if (status.state !== 'running') {
      note(
        `${isThere(status) ? 'starting' : 'making'} the Vagrant box ${box.name} (${provider}), which takes a minute or more; its download, once, takes longer`,
      );
      await bringUp(box.name, options);
    }
    const ssh = await sshTarget(box.name, place);
    const start = startScript(image);
    if (!(await hasProgram(ssh, start))) {
      await provision(box.name, options);
      if (!(await hasProgram(ssh, start)))
        throw new LabError(`the Vagrant box ${box.name} has no ${start} after it was provisioned`, {
          remedy: `copy the provisioners of bindstorm’s own Vagrantfile into that of ${place.folder}`,
        });
    }
    if (box.after === 'revert' || box.between === 'revert') record = await saveSnapshot(record, signal);
    return { ssh, start };
  }

  return {
    kind: 'vagrant',
    get description() {
      return `virtual machine: Vagrant box ${box.name}${provider === undefined ? '' : ` (${provider})`}`;
    },
    get engine() {
      return provider === undefined ? undefined : (`vagrant-${provider}` as const);
    },
    caveat:
      'counts and errnos are exact; times are those of a virtual machine, and are not compared with those of another lab',
    async open(purpose) {
      ready ??= abortable(prepare);
      const { ssh, start } = await ready;
      if (used && record && box.between === 'revert') await revert(record);
      used = true;
      return startAgent([...DIE_WITH_PARENT, ...sshCommand(ssh, `sudo -n ${start} ${purpose}`)], DEADLINES);
    },
    async release() {
      if (record === undefined) return;
      const became = await putAway(record);
      if (box.after !== 'destroy') note(`the Vagrant box ${box.name}: ${became}`);
    },
  };
}

/** Finish with this box what a killed controller could not. */
async function finishEarlier(box: string, place: VagrantFolder, note: Note): Promise<void> {
  const left = (await leftBoxes()).find((record) => record.box === box && record.folder === place.folder);
  if (left === undefined) return;
  note(`a run of ${left.since} was killed and left the Vagrant box ${box} behind: ${await putAway(left)}`);
}

function refuseForeign(box: Box, place: VagrantFolder, there: boolean): void {
  if (!there || box.after !== 'destroy' || recordOf(box.name, place)?.made) return;
  throw new LabError(
    `the Vagrant box ${box.name} of ${place.folder} was not made by bindstorm, and would be destroyed at the end`,
    {
      remedy: `say in the profile what to do with it, for example: lab: { kind: vagrant, box: ${box.name}, after: revert }`,
    },
  );
}

/** The programs that the lab needs and the PATH lacks. */
export function missingPrograms(): string[] {
  return ['vagrant', 'ssh', 'setpriv'].filter((program) => findProgram(program) === undefined);
}
