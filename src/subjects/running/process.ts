/**
 * A proxy as a process: started, ready, watched and stopped. The same for every kind; the caller's process must be in the network
 * namespace that the proxy is to be in.
 */
import { spawn } from 'node:child_process';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { formatTarget } from '../../domain/format.js';
import { isListening, listeners } from '../../kernel/sock-diag.js';
import { rootOf } from '../../machine/program-root.js';
import type { ProgramFacts, RunningProxy, StartInput } from '../subject.js';
import { supervision } from '../what-if/supervise.js';
import type { WhatIf } from '../what-if/what-if.js';
import { atHand, isFetched } from './at-hand.js';
import { asCaller, endOf, killGroup, noteLines, withoutRoot, writeFiles } from './child.js';
import { createLogBook, type LogBook, STANDARD_ERROR, STANDARD_OUTPUT } from './log-book.js';
import { namesWithin, printedBy } from './program.js';
import { ProxyError } from './proxy-error.js';
import { tailFile } from './tail.js';

/** The command line as a file beside the configuration; some programs have no other. */
const COMMAND_FILE = 'command.txt';
const LOOK_EVERY_MS = 5;
const QUESTION_DEADLINE_MS = 2_000;

/**
 * Start a program and wait until it listens: asked of the kernel, since a connection on trial would cost a port. Rejects with
 * ProxyError when it ends before, or does not listen in time.
 * @param kind its name in messages
 */
export async function startProgram<S>(
  kind: string,
  facts: ProgramFacts<S>,
  settings: S,
  whatIf: WhatIf | undefined,
  { setup: where, binary: given, prefix, root, own, readyMs, env, configured }: StartInput,
): Promise<RunningProxy> {
  const binary = atHand(settings as object, { binary: given, setup: where });
  const setup = {
    ...where,
    ...(facts.build ? { build: await printedBy(binary, facts.build) } : {}),
    ...(facts.options ? { options: namesWithin(binary, facts.options) } : {}),
    ...(isFetched(settings as object) ? { root: rootOf(binary) } : {}),
  };
  const program = facts.configure(settings, binary, setup);
  writeFiles(setup.directory, program.files, root);
  configured({ ...program.files, [COMMAND_FILE]: `${program.argv.join(' ')}\n` });
  const as = program.user === undefined ? withoutRoot(root) : asCaller(root, program.user);
  const supervised = supervision(whatIf);
  const [first, ...rest] = [...prefix(0), ...(supervised?.prefix ?? []), ...as, ...program.argv];
  const child = spawn(first!, rest, {
    cwd: program.user === undefined ? setup.directory : program.workdir,
    env: program.env
      ? { ...withoutProxies(process.env), ...env, ...program.env }
      : { ...process.env, LC_ALL: 'C', TMPDIR: setup.directory },
    stdio: ['ignore', 'pipe', 'pipe', ...(supervised ? ['pipe' as const] : [])],
    // A process group of its own, so that all of it can be ended at once.
    detached: true,
  });
  supervised?.follow(child);
  const who = program.user === undefined ? `the proxy (${kind})` : 'the program';
  const book = createLogBook();
  const note = (log: string, line: string) => book.add(line, facts.readLine(log, line, setup));
  let printed = 0;
  const [out, err] = [child.stdout!, child.stderr!];
  for (const stream of [out, err])
    stream.on('data', (text: string) => {
      printed += text.length;
    });
  const streams = [noteLines(out, STANDARD_OUTPUT, note), noteLines(err, STANDARD_ERROR, note)];
  const tails = program.logs.map((file) => ({ file, tail: tailFile(join(setup.directory, file)) }));
  let how: string | null = null;
  const ended = endOf(child).then((text) => {
    how = text;
    return text;
  });

  function readLogs(): LogBook {
    for (const { file, tail } of tails) for (const line of tail()) note(file, line);
    return book;
  }

  const started: RunningProxy = {
    ended,
    end: () => how,
    printed: () => printed,
    ...(child.pid === undefined ? {} : { pid: child.pid }),
    readLogs,
    async stop() {
      const { signal, deadlineMs } = program.stop;
      if (how === null && facts.question) {
        const { socket, text, read } = facts.question;
        const answer = await askSocket(join(setup.directory, socket), text);
        const event = read(answer);
        if (event) book.add(`its answer to ${text.trim()}`, event);
      }
      if (how === null) killGroup(child, signal);
      const timer = setTimeout(() => killGroup(child, 'SIGKILL'), deadlineMs);
      await ended;
      clearTimeout(timer);
      for (const what of supervised?.troubles() ?? []) book.add(what, { kind: 'trouble', what });
      supervised?.end();
    },
  };
  await ready();
  return started;

  async function ready(): Promise<void> {
    const deadline = performance.now() + readyMs;
    let waiting = own ? [] : setup.listen.filter((listener) => !isListening(listener));
    while (waiting.length > 0) {
      if (how !== null) {
        await Promise.race([Promise.all(streams), wait(200)]);
        const tail = readLogs().tail();
        const why = book.troubles().join('; ') || (tail.find((line) => REASON.test(line)) ?? tail.at(-1));
        const hint =
          how === 'ended with code 0'
            ? '; if it puts itself into the background, tell it to stay in the foreground'
            : '';
        throw new ProxyError(`${who} ${how} before it listened${why ? `: ${why}` : ''}${hint}`, tail);
      }
      if (performance.now() > deadline) {
        const elsewhere = listeners().map(formatTarget).join(', ');
        await started.stop();
        throw new ProxyError(
          `${who} did not listen on ${formatTarget(waiting[0]!)} within ${readyMs / 1000} s${elsewhere ? `, but on ${elsewhere}` : ''}`,
          readLogs().tail(),
        );
      }
      await wait(LOOK_EVERY_MS);
      waiting = waiting.filter((listener) => !isListening(listener));
    }
  }
}

/** The proxies that a caller uses are not in the lab. */
function withoutProxies(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/_proxy$/i.test(name)));
}

/** A line that says why a program ends; the last one is often a summary or the use of resources. */
const REASON = /\b(?:fatal|error|emerg|alert|unrecognized)\b/i;

/** The answer of a program at its socket; what came of it until the deadline. */
function askSocket(path: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = createConnection(path, () => socket.write(text));
    const end = () => {
      socket.destroy();
      resolve(answer);
    };
    socket.setEncoding('latin1').on('data', (more: string) => {
      answer += more;
    });
    socket.setTimeout(QUESTION_DEADLINE_MS, end);
    socket.once('error', end).once('close', end);
  });
}
