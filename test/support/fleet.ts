/**
 * A fleet as a user has it: a real nats-server, and agents, each a process of its own; all of them end with the test.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type CliOptions, type RunningCli, scratchFolder, startCli, until } from './cli.js';
import { type Mark, newMark } from './processes.js';

export interface TestFleet {
  /** A scratch folder, in which commands are started. */
  readonly cwd: string;
  /** Of all processes of the fleet, and of what they start. */
  readonly mark: Mark;
  readonly port: number;
  /** The file that lets a controller in. */
  readonly controller: string;
  readonly server: () => RunningCli;
  /** Start an agent. Resolves when it is in the fleet. */
  agent(name: string, more?: AgentOptions): Promise<RunningCli>;
  /** Start any command. */
  start(args: readonly string[], more?: Partial<CliOptions>): RunningCli;
  /** Start a command of a controller. */
  command(args: readonly string[], more?: Partial<CliOptions>): RunningCli;
  /** Start the server again, on what it has on its disk. */
  restart(): Promise<void>;
}

interface AgentOptions extends Partial<CliOptions> {
  readonly args?: readonly string[];
  /** Do not wait until it is in the fleet. */
  readonly atOnce?: boolean;
}

export interface FleetPlace {
  readonly beat?: string;
  /** Where the server listens. */
  readonly listen?: string;
  /** The namespace of the server and of the commands. */
  readonly within?: readonly string[];
}

type Test = Parameters<typeof scratchFolder>[0];

/** Four agents look at their machine at once before they join; beside other tests that takes its time. */
const PATIENCE_MS = 180_000;
/** All that a test does with one process. */
const DEADLINE_MS = 900_000;

/** Start the server of a fleet, whose signs of life are much faster than those of a real one. */
export async function startFleet(
  t: Test,
  { beat = '500ms', listen = '127.0.0.1', within }: FleetPlace = {},
): Promise<TestFleet> {
  const cwd = scratchFolder(t);
  const port = await freePort();
  const started: RunningCli[] = [];
  const mark = newMark();
  const env = { ...mark.env, XDG_STATE_HOME: join(cwd, 'state'), XDG_CACHE_HOME: join(cwd, 'cache') };
  const start = (args: readonly string[], more: Partial<CliOptions> = {}): RunningCli => {
    const cli = startCli(args, {
      cwd,
      deadlineMs: DEADLINE_MS,
      ...(within ? { within } : {}),
      ...more,
      env: { ...env, ...more.env },
    });
    started.push(cli);
    return cli;
  };
  t.after(async () => {
    for (const cli of started) cli.kill('SIGKILL');
    await Promise.all(started.map(({ ended }) => ended));
  });
  const plain = listen === '127.0.0.1' ? [] : ['--plain'];
  const up = async () => {
    const cli = start(['fleet', 'up', '--listen', `${listen}:${port}`, '--folder', 'up', '--beat', beat, ...plain]);
    await said(cli, 'the fleet is up');
    return cli;
  };
  let server = await up();
  return {
    cwd,
    mark,
    port,
    controller: join(cwd, 'up', 'controller.json'),
    server: () => server,
    async agent(name, { args = [], atOnce = false, ...more } = {}) {
      const cli = start(['fleet', 'agent', '--join', join(cwd, 'up', 'agent.json'), '--name', name, ...args], more);
      if (!atOnce) await said(cli, 'is in the fleet');
      return cli;
    },
    start,
    command: (args, more) => start([...args, '--fleet', join(cwd, 'up', 'controller.json')], more),
    async restart() {
      server = await up();
    },
  };
}

/** Ids of the runs in a journal, as often as they are there; none where there is no journal yet. */
export function idsIn(folder: string): string[] {
  try {
    const journal = readFileSync(join(folder, 'journal.ndjson'), 'utf8');
    return [...journal.matchAll(/"type":"run","run":\{"id":"([^"]+)"/g)].map(([, id]) => id!);
  } catch {
    return [];
  }
}

/** Wait until no lab of a fleet is there: what is left are its agents, its server and its commands. */
export async function noLabs({ mark }: TestFleet): Promise<void> {
  const left = () => mark.processes().filter(({ role }) => role !== 'controller' && role !== 'other');
  await until('no lab is left', () => left().length === 0, 30_000).catch(() => {
    throw new Error(`these go on: ${left().map(({ pid, command }) => `${pid} ${command.join(' ')}`)}`);
  });
}

/** Wait until a command has said something on standard error. Rejects when it ends before. */
export async function said(cli: RunningCli, text: string): Promise<void> {
  let isOver = false;
  void cli.ended.then(() => {
    isOver = true;
  });
  const probe = () => {
    if (cli.stderr().includes(text)) return true;
    if (isOver) throw new Error(`it has ended without saying "${text}": ${cli.stderr()}`);
    return false;
  };
  await until(text, probe, PATIENCE_MS).catch((error: Error) => {
    throw new Error(`${error.message}; it said: ${cli.stderr()}`);
  });
}

/** A port of loopback that nobody has. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
