/**
 * The command line as an ordinary user starts it. Root can be anyone: the tests then go on as nobody.
 */
import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLI, type CliOptions, ROOT, runCli, scratchFolder } from './cli.js';

const NOBODY = 65_534;
const AS_NOBODY = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'];

/** Options for the command line, with a working folder and a home of the user's own; or why it cannot be had. */
export async function ordinaryUser(t: {
  after(work: () => void): void;
}): Promise<(CliOptions & Required<Pick<CliOptions, 'within' | 'env'>>) | string> {
  const cwd = scratchFolder(t);
  const env = { HOME: cwd, XDG_STATE_HOME: join(cwd, 'state') };
  if (process.getuid?.() !== 0) return { cwd, env, within: [] };
  const there = { cwd, env, within: AS_NOBODY };
  chownSync(cwd, NOBODY, NOBODY);
  if (await starts(there)) return there;
  // The checkout, or Node, is in a folder that others may not enter, as /root: show both elsewhere, to this one process.
  const visible = { ...there, ...mounted(cwd) };
  if (await starts(visible)) return visible;
  return 'the files of this checkout, or of Node, may not be read by others';
}

/** Whether the user can have the namespaces of a lab: asked of the kernel itself, not of what is under test. */
export function mayHaveNamespaces({ within }: { within: readonly string[] }): boolean {
  const [program, ...args] = [
    ...within,
    'unshare',
    '--user',
    '--map-root-user',
    '--net',
    '--pid',
    '--fork',
    '--',
    'true',
  ];
  return spawnSync(program!, args).status === 0;
}

async function starts(options: CliOptions): Promise<boolean> {
  return (await runCli(['--version'], options)).code === 0;
}

/** In a mount namespace of its own, so that the mounts end with the process. */
function mounted(folder: string): Pick<CliOptions, 'within' | 'program'> {
  const [checkout, node] = [join(folder, 'checkout'), join(folder, 'node')];
  mkdirSync(checkout);
  writeFileSync(node, '');
  const script = `mount --bind '${ROOT}' '${checkout}' && mount --bind '${process.execPath}' '${node}' && exec "$@"`;
  return {
    within: ['unshare', '--mount', '--', 'sh', '-c', script, 'sh', ...AS_NOBODY],
    program: [node, CLI.replace(ROOT, `${checkout}/`)],
  };
}
