/**
 * Kills at random instants: the command line, or one of the processes that it has started, gets SIGKILL. Afterwards nothing of it is left,
 * and the folder is resumed and has what it would have had.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Random } from '../../../src/domain/random.js';
import { randomStream } from '../../../src/domain/random.js';
import { JOURNAL_FILE } from '../../../src/experiment/journal.js';
import { onInterrupt } from '../../../src/machine/interrupts.js';
import { findProgram } from '../../../src/machine/programs.js';
import { leftUnfinished } from '../../../src/machine/unfinished.js';
import { type ProxyKind, programOf, proxySubjectOf } from '../../../src/subjects/index.js';
import { type CliOptions, runCli, startCli } from '../cli.js';
import { hostState } from '../host-state.js';
import { ordinaryUser } from '../ordinary-user.js';
import { type Marked, namespacesOf, newMark, startClock, stillInUse } from '../processes.js';
import { type ThrowawayHost, throwawayHost } from '../throwaway-host.js';
import { type Attacked, tally } from './attack.js';
import { difference, type Found, folderIn, otherFiles, problemsIn, read } from './kill-results.js';
import { SCENES, type Scene } from './kill-scenes.js';

/** From the death of the one to the end of all, on a machine that may be busy. */
const PROMPT_MS = 15_000;
/** Whoever has lost a process says so, at the latest when an attempt is given up; and makes the runs that are left. */
const NOTICED_MS = 90_000;
/** Of kills, those of another process than the command line. */
const OTHERS = 0.3;
const PROFILE = 'killed.yaml';

/** So many scenes are played side by side: each waits for much of its time. */
const AT_ONCE = 10;

/** How often a scene is played until nothing in it stood still. */
const TRIES = 4;

/** An emulated guest came to no end, however often, though nobody killed it: there is nothing to hold a resumed one against. */
class NoTime extends Error {}

type Cleanup = () => unknown;

/** What a scene is when nothing disturbs it. */
interface Reference extends Found {
  /** How long it takes, as last seen: instants are drawn from it. */
  ms: number;
}

interface Stage {
  readonly options: (cwd: string) => CliOptions;
  /** The host that the lab may change, as it must be afterwards. */
  readonly state: () => unknown;
  readonly own: (folder: string) => void;
  /** Processes whose namespaces stay. */
  readonly holders: readonly number[];
}

/** Kill as often, in all scenes in turn, as often in each as its share. @param names of the scenes; all whose programs are here unless said */
export async function fuzzKills(
  count: number,
  seed: number,
  note: (text: string) => void,
  names: readonly string[] = SCENES.map(({ name }) => name),
): Promise<Attacked> {
  const failures: string[] = [];
  const killed: string[] = [];
  const cleanups: Cleanup[] = [];
  const scenes = SCENES.filter((scene) => names.includes(scene.name) && isHere(scene, note));
  const sets = new Map<string, { stage: Stage; reference: Reference; random: Random }>();
  // Stopped by Ctrl-C it says what was done.
  let stopped = false;
  const release = onInterrupt(() => {
    stopped = true;
  });
  const left = turns(scenes, count, seed);
  const busy = new Set<string>();
  const absent = new Set<string>();

  /** One turn after the other, of scenes in which nobody else is: the dice of a scene fall in its own order. */
  async function takeTurns(): Promise<void> {
    for (;;) {
      const next = left.findIndex(({ name }) => !busy.has(name));
      if (stopped || next < 0) return;
      const [scene] = left.splice(next, 1) as [Scene];
      busy.add(scene.name);
      try {
        if (!absent.has(scene.name)) await kill(scene);
      } catch (error) {
        if (error instanceof NoTime) absent.add(scene.name);
        else failures.push(`${scene.name}: ${error instanceof Error ? error.stack : error}`);
        note(error instanceof NoTime ? `${scene.name} is left out: ${error.message}` : `FAILED: ${failures.at(-1)}`);
      }
      busy.delete(scene.name);
    }
  }

  async function kill(scene: Scene): Promise<void> {
    let at = sets.get(scene.name);
    if (at === undefined) {
      const stage = await setUp(scene, cleanups);
      at = { stage, reference: await undisturbed(scene, stage, note), random: randomStream(seed, scene.name) };
      sets.set(scene.name, at);
      note(`${scene.name}: undisturbed in ${(at.reference.ms / 1000).toFixed(1)} s`);
    }
    for (let misses = 0; misses < 20 && !stopped; misses++) {
      const begun = performance.now();
      const { victim, at: instant, problems } = await killOnce(scene, at.stage, at.reference, at.random);
      if (victim === null) continue;
      killed.push(victim === 'controller' ? `in ${scene.name}` : `of another process in ${scene.name}`);
      const how = `kill ${killed.length} of ${count}, ${scene.name}: ${victim} after ${Math.round(instant)} ms`;
      const told = problems.map((text) => `\n  FAILED: ${text}`).join('');
      note(`${how} (${((performance.now() - begun) / 1000).toFixed(1)} s)${told}`);
      failures.push(...problems.map((text) => `${how}: ${text}`));
      return;
    }
  }

  try {
    await Promise.all(Array.from({ length: AT_ONCE }, takeTurns));
  } finally {
    release();
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
  const without = [...absent].map((name) => `; ${name} left out: this machine had no time for its guest`).join('');
  return { tried: killed.length, failures, detail: tally(killed.sort()) + without };
}

/** Each scene as often as its share, and at least once where the count allows it, in an order of chance. */
function turns(scenes: readonly Scene[], count: number, seed: number): Scene[] {
  const random = randomStream(seed, 'turns');
  const shares = scenes.reduce((sum, { share }) => sum + share, 0);
  const all = scenes.flatMap((scene) =>
    Array.from({ length: Math.ceil((count * scene.share) / shares) }, () => ({ scene, at: random() })),
  );
  return all.sort((a, b) => a.at - b.at).map(({ scene }) => scene);
}

function isHere({ name, program }: Scene, note: (text: string) => void): boolean {
  if (program === undefined) return true;
  const { binary } = isProxy(program) ? programOf(proxySubjectOf(program).defaults) : { binary: program };
  if (findProgram(binary) !== undefined) return true;
  note(`${name}: ${binary} is not here`);
  return false;
}

function isProxy(name: string): name is ProxyKind {
  return SCENES.some((scene) => scene.name === name && scene.program === name);
}

async function setUp({ place, beside }: Scene, cleanups: Cleanup[]): Promise<Stage> {
  const t = { after: (work: Cleanup) => void cleanups.push(work) };
  if (place === 'host') {
    const host = await throwawayHost(t);
    const names = ['net.ipv4.ip_local_port_range', 'net.ipv4.tcp_fin_timeout'];
    host.setSysctl(names[0]!, '33000 44000');
    host.setSysctl(names[1]!, '33');
    const other = beside && startBeside(host, beside, cleanups);
    const state = () => [...names.map((name) => host.sysctl(name)), ...(other ? [`${beside[0]}: ${other()}`] : [])];
    const holders = [Number(/\/proc\/(\d+)\//.exec(host.within.join(' '))![1])];
    return { options: (cwd) => ({ cwd, within: host.within }), state, own: () => {}, holders };
  }
  if (place === 'user') {
    const user = await ordinaryUser(t);
    if (typeof user === 'string') throw new Error(user);
    const [, uid] = /--reuid=(\d+)/.exec(user.within.join(' ')) ?? [];
    const own = (folder: string) => uid !== undefined && chownSync(folder, Number(uid), Number(uid));
    return { options: (cwd) => ({ ...user, cwd }), state: hostState, own, holders: [] };
  }
  return { options: (cwd) => ({ cwd }), state: hostState, own: () => {}, holders: [] };
}

/** Start a program on a host, as somebody else has. @returns what tells whether it still runs */
function startBeside(host: ThrowawayHost, command: readonly string[], cleanups: Cleanup[]): () => 'runs' | 'ended' {
  const [program, ...args] = [...host.within, ...command];
  const child = spawn(program!, args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  cleanups.push(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return () => (child.exitCode === null && child.signalCode === null ? 'runs' : 'ended');
}

/** A place of its own for a command: its working folder, and all folders that it may leave something in. */
function newHome({ profile }: Scene, { own, options }: Stage) {
  const home = mkdtempSync(join(tmpdir(), 'bindstorm-kill-'));
  own(home);
  const folders = ['home', 'state', 'tmp', 'cwd'].map((name) => join(home, name));
  for (const folder of folders) {
    mkdirSync(folder);
    own(folder);
  }
  const cwd = join(home, 'cwd');
  if (profile !== undefined) writeFileSync(join(cwd, PROFILE), profile);
  const mark = newMark();
  const given = options(cwd);
  const env = {
    ...given.env,
    ...mark.env,
    HOME: join(home, 'home'),
    XDG_STATE_HOME: join(home, 'state'),
    TMPDIR: join(home, 'tmp'),
  };
  // Kernels and networks that were made once are for all.
  const cache = process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? '/', '.cache');
  return {
    cwd,
    mark,
    // In a group of its own: who ends this run by Ctrl-C lets the scenes come to their end.
    options: { ...given, env: { ...env, XDG_CACHE_HOME: cache }, ownGroup: true },
    /** What is in the folders that must be empty. */
    left: () =>
      ['home', 'state', 'tmp'].flatMap((name) =>
        // The folder for what a host run keeps stays, empty.
        readdirSync(join(home, name))
          .filter((file) => name !== 'state' || readdirSync(join(home, name, file)).length > 0)
          .map((file) => `${name}/${file}`),
      ),
    /** What is left unfinished in the cache, of which all of this machine's runs have one. */
    unfinished: () =>
      ['', ...readdirSync(join(cache, 'bindstorm'))].flatMap((name) => leftUnfinished(join(cache, 'bindstorm', name))),
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}

const commandOf = ({ command, profile, args = [] }: Scene) => [
  ...[command, ...(profile === undefined ? [] : [PROFILE])],
  ...args,
  // One run an arm decides nothing, and is not asked to.
  ...(command === 'run' ? ['--force'] : []),
  '--quiet',
  '--out',
  'out',
];

async function undisturbed(scene: Scene, stage: Stage, note: (text: string) => void): Promise<Reference> {
  let reference: Reference | undefined;
  let why = '';
  // The first of these may fetch a kernel, or make a network, which a kill would not; in one that is not valid something is left out; and on a
  // machine that has no time for it an emulated guest comes to no end.
  for (let tries = 1, left = scene.fetches ? 2 : 1; left > 0; tries++, left--) {
    const home = newHome(scene, stage);
    try {
      const begun = performance.now();
      const { code, stderr } = await runCli(commandOf(scene), { ...home.options, deadlineMs: scene.deadlineMs });
      if (code === 0) {
        const found = { ...read(scene, folderIn(home.cwd)!), ms: performance.now() - begun };
        if (reference && !isDeepStrictEqual(found.results, reference.results))
          throw new Error(`${scene.name} is not exact: ${JSON.stringify([reference.results, found.results])}`);
        reference = found;
      } else {
        why = `ended with code ${code} though nobody killed it: ${stderr} ${problemsIn(home.cwd)}`;
        note(`${scene.name} ${why}`);
      }
      if ((code !== 0 || reference?.valid === false) && left === 1 && tries < TRIES) left++;
    } finally {
      home.remove();
    }
  }
  if (reference === undefined) throw new (scene.emulated ? NoTime : Error)(`${scene.name} ${why}`);
  return reference;
}

interface Kill {
  /** null: it was over before. */
  readonly victim: Marked['role'] | null;
  /** Milliseconds after the start. */
  readonly at: number;
  readonly problems: readonly string[];
}

async function killOnce(scene: Scene, stage: Stage, reference: Reference, random: Random): Promise<Kill> {
  const home = newHome(scene, stage);
  const problems: string[] = [];
  const [at, among, which] = [random() * reference.ms, random(), random()];
  try {
    const [before, earlier] = [stage.state(), home.unfinished()];
    const own = new Set([process.pid, ...stage.holders].flatMap(namespacesOf));
    const cli = startCli(commandOf(scene), { ...home.options, deadlineMs: scene.deadlineMs });
    let over = false;
    const ended = cli.ended.finally(() => {
      over = true;
    });
    const begun = performance.now();
    await Promise.race([wait(at), ended]);
    if (over) {
      reference.ms = performance.now() - begun;
      return { victim: null, at, problems };
    }
    const alive = home.mark.processes();
    const others = alive.filter(({ role }) => role !== 'controller');
    const victim =
      among < OTHERS && others.length > 0
        ? others[Math.floor(which * others.length)]!
        : alive.find(({ role }) => role === 'controller');
    if (victim === undefined) return { victim: null, at, problems };
    const namespaces = [...new Set(alive.flatMap((one) => one.namespaces))].filter((name) => !own.has(name));
    const since = startClock();
    try {
      process.kill(victim.pid, 'SIGKILL');
    } catch {
      return { victim: null, at, problems };
    }
    const died = performance.now();
    const end = await ended;
    const lasted = performance.now() - died;
    if (lasted > NOTICED_MS + 4 * reference.ms)
      problems.push(`the command went on for ${Math.round(lasted / 1000)} s after the death: ${end.stderr}`);
    const survived = victim.role !== 'controller';
    if (survived && end.signal !== null)
      problems.push(`the command hung, or was ended by ${end.signal}: ${end.stderr}`);
    if (survived && hasStack(end.stderr)) problems.push(`a stack trace: ${end.stderr}`);
    if (survived && ![0, 2, 3, 4].includes(end.code ?? 0)) problems.push(`exit code ${end.code}: ${end.stderr}`);
    problems.push(...(await remains(home, namespaces, since)));
    const after = stage.state();
    if (!isDeepStrictEqual(after, before)) problems.push(`the host is not as it was: ${difference(before, after)}`);
    problems.push(...(await resumed(scene, home, reference)));
    // What it left in the cache, it has removed itself when it came again.
    const unfinished = home.unfinished().filter((path) => !earlier.includes(path));
    if (unfinished.length > 0) problems.push(`left in the cache: ${unfinished.join(', ')}`);
    return { victim: victim.role, at, problems };
  } finally {
    home.remove();
  }
}

type Home = ReturnType<typeof newHome>;

/** What is still there when it should be gone. */
async function remains({ mark, left }: Home, namespaces: readonly string[], since: number): Promise<string[]> {
  const deadline = performance.now() + PROMPT_MS;
  for (;;) {
    const processes = mark.processes();
    const used = stillInUse(namespaces, since);
    const files = left();
    if (processes.length + used.length + files.length === 0) return [];
    if (performance.now() > deadline)
      return [
        `left after ${PROMPT_MS / 1000} s: ${JSON.stringify({ processes: processes.map(({ role, command }) => [role, command.join(' ').slice(0, 200)]), used, files })}`,
      ];
    await wait(50);
  }
}

/** Resume what there is, or begin anew where there is nothing yet, and hold it against the reference. */
async function resumed(scene: Scene, { cwd, options }: Home, reference: Reference): Promise<string[]> {
  const problems: string[] = [];
  const folder = folderIn(cwd);
  let again = commandOf(scene);
  if (folder !== undefined) {
    const path = join(folder, JOURNAL_FILE);
    const resume = [scene.command, '--resume', folder, '--quiet'];
    if (existsSync(path) && readFileSync(path, 'utf8').includes('\n')) again = resume;
    else {
      // Nothing was begun in it.
      const { code, stderr } = await runCli(resume, options);
      if (code !== 2 || hasStack(stderr)) problems.push(`a folder without a begin: code ${code}: ${stderr}`);
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const complete = () => runCli(again, { ...options, deadlineMs: scene.deadlineMs });
  let { code, stderr } = await complete();
  // A run that failed by itself is made again by the next resume, as the command says.
  if (code === 4 && scene.emulated) {
    again = [scene.command, '--resume', folderIn(cwd)!, '--quiet'];
    ({ code, stderr } = await complete());
  }
  if (code !== 0) return [...problems, `${again.join(' ')} ended with code ${code}: ${stderr} ${problemsIn(cwd)}`];
  const found = read(scene, folderIn(cwd)!);
  if (!isDeepStrictEqual(found.results, reference.results))
    problems.push(`not what it would have been: ${difference(reference.results, found.results)}`);
  const other = otherFiles(reference, found);
  return other === null ? problems : [...problems, other];
}

function hasStack(stderr: string): boolean {
  return /fault of bindstorm|^ {4}at /m.test(stderr);
}
