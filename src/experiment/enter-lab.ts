/**
 * A command at the terminal in a fresh lab: the lab makes the place, and whoever sits at the terminal starts the command in it.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Measurement } from '../agent/protocol.js';
import type { Entry } from '../agent/roles/proxy-protocol.js';
import { LabError, UserError } from '../domain/error.js';
import { LABS } from '../domain/lab.js';
import type { LoadedProfile } from '../profile/load.js';
import { program } from '../subjects/program/program.js';
import { type Note, withLabs } from './labs.js';
import { findPlaces } from './places.js';

/** Nobody sits at a terminal for longer. */
const LONGEST_MS = 7 * 86_400_000;

export interface LabVisit {
  readonly measurement: Measurement;
  /** How the command ended, as a shell says it: its code, or 128 and the signal's number. */
  readonly code: number;
}

/**
 * Run a command in a lab with a profile's addresses, sysctls and internet, at the terminal of this process.
 * @throws UserError, LabError
 */
export function enterLab(
  { experiment: wanted }: LoadedProfile,
  command: readonly string[],
  note: Note,
): Promise<LabVisit> {
  if (LABS[wanted.lab].machine !== 'this' || !LABS[wanted.lab].ownNamespace)
    throw new UserError(
      `a command runs only in the netns lab, on this machine's own kernel, not in the ${wanted.lab} lab: leave lab out of the profile`,
    );
  const [baseline] = wanted.arms;
  const own = baseline?.proxy && 'names' in baseline.proxy ? baseline.proxy : program.defaults;
  const load = {
    ...baseline!.load,
    protocol: 'get' as const,
    arrival: { shape: 'own' as const, attempts: null, durationMs: LONGEST_MS },
  };
  const arm = { ...baseline!, proxy: { ...own, command: [...command] }, load };
  return withLabs(note, async (makeLab) => {
    const { all, experiment, findings } = await findPlaces({ ...wanted, arms: [arm] }, (kernel, provided) =>
      makeLab(provided, kernel),
    );
    if (findings.length > 0) throw new UserError(findings.map(({ message }) => message).join('\n'));
    const [{ lab, network }] = all;
    const session = await lab.open('run');
    try {
      session.send({
        type: 'run',
        spec: { arm: experiment.arms[0]!, seed: 1, network, ownNamespace: true, sampleMs: 1000, attached: true },
      });
      let code: number | undefined;
      for (;;) {
        const event = await session.next();
        if (event.type === 'failed') throw new LabError(event.message);
        if (event.type === 'entry') {
          code = await visit(event.entry, event.namespace);
          session.send({ type: 'stop' });
        }
        if (event.type === 'result') return { measurement: event.measurement, code: code ?? 0 };
      }
    } finally {
      await session.close();
    }
  });
}

/** Start what is to be started in the namespaces of the process whose network namespace is a file of /proc. @returns how it ended */
function visit({ command, env }: Entry, namespace: string): Promise<number> {
  const pid = namespace.split('/')[2]!;
  const user = process.getuid?.() === 0 ? [] : ['--user', '--preserve-credentials'];
  const inside = ['nsenter', `--target=${pid}`, ...user, '--mount', '--net', '--pid', '--'];
  // The working folder is another one behind the mounts of the lab, though of the same name.
  const there = ['sh', '-c', 'cd "$0" && exec "$@"', process.cwd()];
  const changed = Object.entries({ ...process.env, ...env }).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  const [first, ...rest] = [...inside, ...there, ...command];
  // Ctrl-C at the terminal is for the command.
  const ignore = () => {};
  process.on('SIGINT', ignore);
  const child = spawn(first!, rest, { stdio: 'inherit', env: Object.fromEntries(changed) as NodeJS.ProcessEnv });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, signal) => {
      process.off('SIGINT', ignore);
      resolve(signal === null ? (exitCode ?? 0) : 128 + constants.signals[signal]);
    });
  });
}
