/**
 * Entry of the agent: the process inside the lab that does what the controller asks. It ends when its input ends, so that it
 * never outlives the controller.
 *
 *     node main.js netns | host
 */
import { dieWithParent, unsupportedPlatform } from '../kernel/libc.js';
import { runCheck } from './check.js';
import { describeEnvironment } from './environment.js';
import { ownSnapshot, restoreSnapshot, staleSnapshots } from './host-guard.js';
import { readMessages, writeMessage } from './ndjson.js';
import { type AgentEvent, type Command, commandSchema, PROTOCOL_VERSION } from './protocol.js';
import { executeRun } from './run.js';

const throwaway = process.argv[2] !== 'host';
const say = (event: AgentEvent) => writeMessage(process.stdout, event);
let stop: () => void = () => {};
const stopped = new Promise<void>((resolve) => {
  stop = resolve;
});

async function handle(command: Command): Promise<void> {
  switch (command.type) {
    case 'check':
      return say({ type: 'checked', check: runCheck(command, throwaway) });
    case 'run': {
      const measurement = await executeRun(command.spec, {
        stopped,
        onPhase: (phase) => say({ type: 'phase', phase }),
        onSample: (second) => say({ type: 'second', second }),
      });
      return say({ type: 'result', measurement });
    }
    case 'stop':
      return stop();
    case 'restore': {
      const restorations = staleSnapshots().map(restoreSnapshot);
      return say({
        type: 'restored',
        restored: Object.assign({}, ...restorations.map(({ restored }) => restored)),
        failed: restorations.flatMap(({ failed }) => failed),
      });
    }
  }
}

function fail(error: unknown): void {
  // The stack goes to standard error, which the controller keeps for a failed run; the message is for the user.
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  say({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
}

const unsupported = unsupportedPlatform();
if (unsupported !== undefined) fail(new Error(unsupported));
// An agent on the host must live long enough to put the sysctls back; the end of its input tells it that the controller is gone.
else if (throwaway && !dieWithParent(process.ppid)) process.exit(1);
else {
  say({
    type: 'hello',
    protocol: PROTOCOL_VERSION,
    pid: process.pid,
    environment: describeEnvironment(throwaway ? 'netns' : 'host'),
  });
  try {
    for await (const command of readMessages(process.stdin, commandSchema)) handle(command).catch(fail);
  } catch (error) {
    fail(error);
  }
}
const left = throwaway ? undefined : ownSnapshot();
if (left) restoreSnapshot(left);
process.exit(0);
