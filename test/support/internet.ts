/**
 * Programs on the lab's internet, for tests against the kernel that runs here.
 */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { unshareCommand } from '../../src/lab/netns.js';
import { DIE_WITH_PARENT } from '../../src/machine/parent-death.js';
import { internetOf, type OriginAnswer } from '../../src/subjects/internet.js';
import { CLI, ROOT } from './cli.js';
import type { DriverInput, DriverOutput } from './internet-driver.js';

const DRIVER = fileURLToPath(new URL('./internet-driver.js', import.meta.url));

interface Options extends Partial<Omit<DriverInput, 'command' | 'internet'>> {
  readonly answer?: Partial<OriginAnswer>;
  readonly names?: Record<string, string[]>;
  readonly families?: 'own' | 'both';
  /** Stands before the whole command, as to become another user. */
  readonly within?: readonly string[];
  readonly root?: boolean;
  /** Where Node and the command line are found, if not here. */
  readonly program?: readonly string[] | undefined;
  readonly env?: NodeJS.ProcessEnv;
}

/** Run a program to its end, or to the line that says so. Rejects when the lab cannot be made. */
export async function onInternet(
  command: readonly string[],
  {
    answer = {},
    names,
    families = 'own',
    within = [],
    root = process.getuid?.() === 0,
    program: there,
    env,
    ...input
  }: Options = {},
): Promise<DriverOutput> {
  const internet = internetOf({ origin: answer, names: names ?? null, families });
  const driver = there ? DRIVER.replace(ROOT, there[1]!.replace(CLI.slice(ROOT.length), '')) : DRIVER;
  // Files are mounted over those of the machine: for nobody else.
  const lab = unshareCommand([there?.[0] ?? process.execPath, driver], root, '--mount');
  const [program, ...rest] = [...within, ...DIE_WITH_PARENT, ...lab];
  const { stdout } = await execa(program!, rest, {
    env,
    input: JSON.stringify({
      command,
      internet,
      addresses: ['10.50.0.1'],
      sysctls: {},
      ...input,
    } satisfies DriverInput),
  });
  return JSON.parse(stdout) as DriverOutput;
}

/** The command of a program in Node, given as its text: a module. */
export function nodeProgram(text: string): string[] {
  return [process.execPath, '--input-type=module', '--eval', text];
}
