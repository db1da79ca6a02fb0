/**
 * One box: what vagrant(1) does with it, and what must be known of it.
 */
import { execa } from 'execa';
import { lastLine } from '../agent-channel.js';
import { LabError } from '../lab.js';
import { folderVariables, type VagrantFolder, type VagrantOptions, vagrant, vagrantText } from './command.js';
import { type MachineStatus, machinesOf, statusOf } from './machine-readable.js';
import { type BoxRecord, dropRecord, leftRecords, writeRecord } from './record.js';
import { parseSshConfig, type SshTarget, sshCommand } from './ssh-config.js';

/** The snapshot that `revert` in a profile returns to. */
const SNAPSHOT = 'bindstorm';
/** A box that is not there yet is downloaded first, which may take long; for its boot Vagrant has a deadline of its own. */
const UP_MS = 60 * 60_000;
const SHORT_MS = 10 * 60_000;

/** @throws LabError also when the Vagrantfile has no machine of this name */
export async function boxStatus(box: string, place: VagrantFolder): Promise<MachineStatus> {
  try {
    const status = statusOf(await vagrant(['status', box], { place, deadlineMs: SHORT_MS }), box);
    if (status !== undefined) return status;
  } catch (error) {
    if (!(error instanceof LabError) || !/was not found configured/.test(error.message)) throw error;
  }
  const all = machinesOf(await vagrant(['status'], { place, deadlineMs: SHORT_MS }));
  throw new LabError(`there is no Vagrant box ${box}; ${place.folder} has ${all.join(', ')}`, {
    remedy: 'name one of these with --box, or in the profile: lab: { kind: vagrant, box: … }',
  });
}

/** Whether the box exists, running or not. */
export function isThere({ state }: MachineStatus): boolean {
  return state !== 'not_created';
}

/** Create or start it; a new one is provisioned too. */
export async function bringUp(box: string, options: Omit<VagrantOptions, 'deadlineMs'>): Promise<void> {
  await vagrant(['up', box], { ...options, deadlineMs: UP_MS });
}

/** Run the provisioners of a box that is up: they bring the agent. @throws LabError */
export async function provision(box: string, options: Omit<VagrantOptions, 'deadlineMs'>): Promise<void> {
  await vagrant(['provision', box], { ...options, deadlineMs: SHORT_MS });
}

/** How ssh(1) reaches a box that is up. @throws LabError when Vagrant does not say */
export async function sshTarget(box: string, place: VagrantFolder): Promise<SshTarget> {
  const text = await vagrantText(['ssh-config', box], { place, deadlineMs: SHORT_MS });
  const target = parseSshConfig(text);
  if (target === undefined)
    throw new LabError(`\`vagrant ssh-config ${box}\` did not print the address of one machine: ${text.slice(0, 200)}`);
  return target;
}

/** Save the state of the box under the one name that is used here. @throws LabError */
export async function saveSnapshot(record: BoxRecord, signal: AbortSignal): Promise<BoxRecord> {
  await vagrant(['snapshot', 'save', record.box, SNAPSHOT, '--force'], { place: record, deadlineMs: SHORT_MS, signal });
  const saved = { ...record, snapshot: true };
  writeRecord(saved);
  return saved;
}

/** Return to the snapshot of {@link saveSnapshot}. @throws LabError */
export async function revert({ box, ...place }: BoxRecord): Promise<void> {
  await vagrant(['snapshot', 'restore', box, SNAPSHOT, '--no-provision'], {
    place,
    deadlineMs: SHORT_MS,
    outlives: true,
  });
}

/**
 * Destroy, revert or keep a box, as the profile says; its record is changed last.
 * @returns what was done, such as `it is removed`
 */
export async function putAway(record: BoxRecord): Promise<string> {
  const { box, after, made, snapshot } = record;
  if (!isThere(await boxStatus(box, record))) {
    dropRecord(record);
    return 'it no longer exists';
  }
  if (after === 'destroy') {
    await vagrant(['destroy', '--force', box], { place: record, deadlineMs: SHORT_MS, outlives: true });
    dropRecord(record);
    return 'it is removed';
  }
  const reverts = after === 'revert' && snapshot;
  if (reverts) await revert(record);
  // A box that somebody else made is theirs again.
  if (made) writeRecord({ ...record, user: null });
  else dropRecord(record);
  return `it is ${reverts ? 'reverted to its snapshot' : 'kept'}; remove it with: ${destroyCommand(record)}`;
}

/** Boxes that a killed controller left behind. The record of one that no longer exists is dropped. */
export async function leftBoxes(): Promise<BoxRecord[]> {
  const found: BoxRecord[] = [];
  for (const record of leftRecords()) {
    // Where vagrant itself cannot tell, the record counts.
    const there = await boxStatus(record.box, record).then(isThere, () => true);
    if (there) found.push(record);
    else dropRecord(record);
  }
  return found;
}

/** Whether a file is there and may be executed, asked over ssh. @throws LabError when the box does not answer */
export async function hasProgram(target: SshTarget, path: string): Promise<boolean> {
  const [program, ...words] = sshCommand(target, `test -x ${path}`);
  const { exitCode, stderr } = await execa(program!, words, { stdin: 'ignore', reject: false, timeout: SHORT_MS });
  if (exitCode === 0 || exitCode === 1) return exitCode === 0;
  throw new LabError(`the Vagrant box ${target.host} does not answer over ssh: ${lastLine(stderr) || 'no answer'}`);
}

/** The command that removes it by hand. */
function destroyCommand({ box, ...place }: BoxRecord): string {
  const variables = Object.entries(folderVariables(place)).map(([name, value]) => `${name}=${value}`);
  return [...variables, 'vagrant', 'destroy', '--force', box].join(' ');
}
