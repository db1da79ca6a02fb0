/**
 * The processes of a private Tor network: started, asked how far they are, ended.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { messageOf } from '../../domain/error.js';
import { deferred } from '../../machine/promises.js';
import { endOf, killGroup, noteLines } from '../running/child.js';
import { STANDARD_ERROR, STANDARD_OUTPUT } from '../running/log-book.js';
import { type Control, openControl } from './control.js';
import { NOTICE_LOG, type TorLayout, type TorNode } from './layout.js';
import { bootstrapPhase } from './log.js';

const STOP_DEADLINE_MS = 4000;

export interface RunningNode {
  readonly node: TorNode;
  readonly log: string;
  /** How it ended; null while it runs. */
  end(): string | null;
  /** Its control port; null as long as there is none. */
  control(): Control | null;
}

export interface RunningNodes {
  readonly nodes: readonly RunningNode[];
  /** Resolves when the first of them has ended, with its name and how. */
  readonly ended: Promise<string>;
  /** Ask those without a control port again for theirs. */
  connect(onClientEvent: (event: string) => void): Promise<void>;
  /** End all of them, and wait for their ends. */
  stop(): Promise<void>;
}

export interface NodesInput {
  readonly binary: string;
  readonly layout: TorLayout;
  /** What stands before the command of an exit, and of any other. */
  prefix(node: TorNode, index: number): readonly string[];
  note(node: TorNode, log: string, line: string): void;
}

/** Start the processes of a network. They are not ready yet; see whyNotReady. */
export function startNodes({ binary, layout, prefix, note }: NodesInput): RunningNodes {
  let stopping = false;
  const { promise: ended, resolve: sayEnd } = deferred<string>();
  const children: ChildProcess[] = [];
  const ends: Promise<void>[] = [];
  const nodes = layout.nodes.map((node, index) => {
    const folder = join(layout.directory, node.name);
    const [first, ...rest] = [...prefix(node, index), binary, '-f', join(folder, 'torrc')];
    const child = spawn(first!, rest, {
      cwd: layout.directory,
      env: { ...process.env, LC_ALL: 'C', HOME: folder, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    children.push(child);
    void noteLines(child.stdout, STANDARD_OUTPUT, (log, line) => note(node, log, line));
    void noteLines(child.stderr, STANDARD_ERROR, (log, line) => note(node, log, line));
    let how: string | null = null;
    ends.push(
      endOf(child).then((text) => {
        how = text;
        if (!stopping) sayEnd(`${node.name} ${text}`);
      }),
    );
    return { node, log: join(folder, NOTICE_LOG), end: () => how, control: null as Control | null };
  });

  return {
    nodes: nodes.map((running) => ({ ...running, control: () => running.control })),
    ended,
    async connect(onClientEvent) {
      await Promise.all(
        nodes.map(async (running) => {
          const { node } = running;
          if (running.control !== null) return;
          const onEvent = node.kind === 'client' ? onClientEvent : () => {};
          running.control = await openControl(join(layout.directory, node.name, 'control'), onEvent).catch(() => null);
        }),
      );
    },
    async stop() {
      stopping = true;
      for (const child of children) killGroup(child, 'SIGINT');
      const timer = setTimeout(() => {
        for (const child of children) killGroup(child, 'SIGKILL');
      }, STOP_DEADLINE_MS);
      await Promise.all(ends);
      clearTimeout(timer);
      // What was said last is read to its end.
      await Promise.all(nodes.map(({ control }) => control?.closed));
    },
  };
}

/** Percent at which a client has a consensus and descriptors enough (`enough_dirinfo`). */
const ENOUGH_DIRECTORY = 75;

/** The relays that a client's consensus lists; empty: it has none yet. */
export async function listedRelays(client: Control): Promise<string[]> {
  const lines = await client.ask('GETINFO ns/all');
  return lines.flatMap((line) => /^(?:ns\/all=)?r (\S+)/.exec(line)?.[1] ?? []);
}

/** Why a node is not ready, in words that name it; null: it is. */
export async function whyNotReady(running: RunningNode): Promise<string | null> {
  const { node, control, end } = running;
  const how = end();
  if (how !== null) return `${node.name} ${how}`;
  const port = control();
  if (port === null) return `${node.name} is starting: it has no control port yet`;
  try {
    const [status = ''] = await port.ask('GETINFO status/bootstrap-phase');
    const phase = bootstrapPhase(status);
    const text = `${node.name} is at ${phase?.text ?? 'an unknown phase'}`;
    // The last percents are about circuits of its own, which nobody waits for: those that are used are built by us.
    if (node.kind === 'client') return (phase?.percent ?? 0) >= ENOUGH_DIRECTORY ? null : text;
    if (node.kind !== 'exit' || (await hasPolicy(port))) return null;
    return `${text}; it has no descriptor of its own yet`;
  } catch (error) {
    return `${node.name} did not answer: ${messageOf(error)}`;
  }
}

/** Before an exit has its own descriptor, it answers every stream that its policy forbids it. */
function hasPolicy(port: Control): Promise<boolean> {
  return port.ask('GETINFO exit-policy/full').then(
    () => true,
    () => false,
  );
}
