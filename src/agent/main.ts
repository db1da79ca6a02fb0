/**
 * The agent: the process inside the lab that does what the controller asks. It ends when its input ends, so that it never
 * outlives the controller.
 */
import { messageOf } from '../domain/error.js';
import { dieWithParent, unsupportedPlatform } from '../kernel/libc.js';
import { readMessages, writeMessage } from '../machine/ndjson.js';
import { deferred } from '../machine/promises.js';
import { enterBox, restoringMachineSysctls } from './place/box-guard.js';
import { runCheck } from './place/check.js';
import { describeEnvironment } from './place/environment.js';
import { enterFreshPlace } from './place/fresh.js';
import { ownSnapshot, restoreSnapshot, staleSnapshots } from './place/host-guard.js';
import { type AgentEvent, type Command, commandSchema, PROTOCOL_VERSION } from './protocol.js';
import type { LaunchedOrigin } from './roles/launch.js';
import { ProxyFailed } from './roles/proxy-client.js';
import { executeRun } from './run.js';

interface AgentOptions {
  /** The agent is in a namespace of its own. Otherwise it is on the host, where sysctls are restored before it ends. */
  readonly ownNamespace: boolean;
  /** The machine around the namespace is the lab's too: its sysctls may be set, and are restored before the agent ends. */
  readonly inBox: boolean;
  /** An origin that is already on its way up. */
  readonly launched: LaunchedOrigin | null;
}

const say = (event: AgentEvent) => writeMessage(process.stdout, event);

/** Serve one controller over standard input and output, then end the process. */
export async function serveController(options: AgentOptions): Promise<never> {
  // Also a pipe to the controller that is broken.
  process.on('uncaughtException', (error) => {
    fail(error);
    end(options, 1);
  });
  if (options.inBox) enterBox();
  // On the host nothing may be left changed, by whatever the agent is ended (a service manager sends SIGTERM to all processes).
  if (!options.ownNamespace)
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => end(options, 1));
  const unsupported = unsupportedPlatform();
  if (unsupported !== undefined) fail(new Error(unsupported));
  // An agent on the host must live on to restore the sysctls; the end of its input tells it that the controller is gone.
  else if (options.ownNamespace && !dieWithParent(process.ppid)) process.exit(1);
  else await converse(options);
  return end(options, 0);
}

function end({ ownNamespace, inBox }: AgentOptions, code: number): never {
  const left = ownNamespace && !inBox ? undefined : ownSnapshot();
  if (left) restoreSnapshot(left);
  process.exit(code);
}

async function converse(options: AgentOptions): Promise<void> {
  let stopped = deferred();
  let gone = deferred<number>();
  // One run has it; the next one in a fresh place has another.
  let { launched } = options;
  const take = () => {
    const taken = launched;
    launched = null;
    return taken;
  };
  say(hello(options));
  try {
    for await (const command of readMessages(process.stdin, commandSchema)) {
      if (command.type === 'stop') stopped.resolve();
      else if (command.type === 'go') gone.resolve(command.atMicros);
      else if (command.type === 'renew') {
        stopped = deferred();
        gone = deferred();
        const renewed = enterFreshPlace(take(), command.ownKernel).then((next) => {
          launched = next;
          return hello(options);
        });
        renewed.then(say, fail);
      } else
        answer(command, options, command.type === 'run' ? take() : null, stopped.promise, gone.promise).then(say, fail);
    }
  } catch (error) {
    fail(error);
  }
}

function hello({ ownNamespace }: AgentOptions): AgentEvent {
  const environment = describeEnvironment(ownNamespace ? 'netns' : 'host');
  return { type: 'hello', protocol: PROTOCOL_VERSION, pid: process.pid, environment };
}

async function answer(
  command: Exclude<Command, { type: 'stop' | 'go' | 'renew' }>,
  { ownNamespace }: AgentOptions,
  launched: LaunchedOrigin | null,
  stopped: Promise<void>,
  gone: Promise<number>,
): Promise<AgentEvent> {
  switch (command.type) {
    case 'check':
      return {
        type: 'checked',
        check: await restoringMachineSysctls(
          [...command.sysctls, ...(command.roleSysctls ?? [])].map(([name]) => name),
          () => runCheck(command, ownNamespace),
        ),
      };
    case 'run': {
      const measurement = await executeRun(command.spec, launched, {
        stopped,
        gate: () => {
          say({ type: 'ready' });
          return gone;
        },
        onPhase: (phase, waiting) => say({ type: 'phase', phase, ...(waiting === undefined ? {} : { waiting }) }),
        onSample: (second) => say({ type: 'second', second }),
        onEntry: (entry, namespace) => say({ type: 'entry', entry, namespace }),
      });
      return { type: 'result', measurement };
    }
    case 'restore': {
      const restorations = staleSnapshots().map(restoreSnapshot);
      return {
        type: 'restored',
        restored: Object.assign({}, ...restorations.map(({ restored }) => restored)),
        failed: restorations.flatMap(({ failed }) => failed),
      };
    }
  }
}

function fail(error: unknown): void {
  // The stack goes to standard error, which the controller keeps for a failed run; the message is for the user.
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  const { report: proxy, configuration } = error instanceof ProxyFailed ? error : {};
  say({ type: 'failed', message: messageOf(error), proxy, configuration });
}
