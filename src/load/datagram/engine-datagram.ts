/**
 * The datagram engine: one worker's load over UDP, with non-blocking sockets and epoll straight through libc. Schedule, picks, options and
 * counters are those of the socket engine.
 */
import { createBriefEpoll } from '../../kernel/brief-epoll.js';
import { sharpenTimers } from '../../kernel/libc.js';
import { createMessages } from '../../kernel/messages.js';
import { sockaddrTable } from '../../kernel/sockaddr.js';
import { type EnginePlace, type EngineReport, runLoad } from '../engine.js';
import { createEventLoop } from '../event-loop.js';
import { BATCH, createAssociations, shapeOf } from './associations.js';
import { createMarks } from './marks.js';
import { ownSockets, sharedSockets } from './sockets.js';

/**
 * Run one worker's load from its start instant to its end.
 * @param onDrained called when every attempt has its outcome and what is held is still open
 */
export function runDatagramEngine(input: EnginePlace, onDrained: () => void): Promise<EngineReport> {
  const { plan, slot, addresses } = input;
  sharpenTimers();
  return runLoad(input, onDrained, ({ remotes, recorder, dialer, picker, budget, descriptors: size }) => {
    const table = sockaddrTable(remotes);
    const epoll = createBriefEpoll(1024, size);
    const marks = createMarks(plan, slot);
    const shape = shapeOf(plan);
    const out = createMessages(shape.one ? BATCH : 1, marks.requestBytes, table.length);
    for (let i = 0; i < out.count; i++) marks.begin(out.memory, i * out.room);
    const datagram = shape.sends && !shape.shared ? { memory: out.memory, bytes: marks.requestBytes } : null;
    const each = { plan, dialer, datagram, remotes: table, size };
    const associations = createAssociations({
      plan,
      picker,
      recorder,
      budget,
      descriptors: size,
      epoll,
      remotes: table,
      marks,
      shape,
      out,
      sockets: shape.one ? sharedSockets(each, addresses.length) : ownSockets(each),
    });
    return createEventLoop(epoll, associations, () => epoll.close());
  });
}
