/**
 * The socket engine: one worker's load, with non-blocking sockets and epoll straight through libc. It runs its own loop on the
 * worker's thread from start to end; the agent reads the shared counters meanwhile.
 */
import { createEpoll } from '../../kernel/epoll.js';
import { sharpenTimers } from '../../kernel/libc.js';
import { sockaddrTable } from '../../kernel/sockaddr.js';
import { type EnginePlace, type EngineReport, runLoad } from '../engine.js';
import { createEventLoop } from '../event-loop.js';
import { createClocks } from './clocks.js';
import { createConnections } from './connection.js';
import { createDialogue } from './dialogue.js';

/**
 * Run one worker's load from its start instant to its end.
 * @param onDrained called when every attempt has its outcome and what is held is still open
 */
export function runSocketEngine(input: EnginePlace, onDrained: () => void): Promise<EngineReport> {
  const { plan, via, targets } = input;
  sharpenTimers();
  return runLoad(input, onDrained, ({ remotes: addresses, recorder, descriptors, ...equipment }) => {
    const epoll = createEpoll(1024);
    const remotes = sockaddrTable(addresses);
    const clocks = plan.clocks > 1 ? createClocks(plan.clocks, remotes.family) : null;
    const reverse = via?.listeners !== undefined;
    const dialogue = createDialogue({ plan, destinations: targets, reverse, recorder, descriptors });
    const connections = createConnections({
      ...equipment,
      plan,
      clocks,
      remotes,
      dialogue,
      epoll,
      recorder,
      descriptors,
    });

    return createEventLoop(epoll, connections, () => {
      epoll.close();
      clocks?.close();
    });
  });
}
