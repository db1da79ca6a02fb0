/**
 * Entry of the process of a neighbour: a program of its own, with a small load, in the namespace that it is told to be in. Commands
 * and answers are NDJSON.
 */
import { dieWithParent } from '../../kernel/libc.js';
import { enterNamespace } from '../../kernel/namespace.js';
import { totalOf } from '../../load/outcome.js';
import { createPool, type Pool } from '../../load/pool.js';
import { readLines, writeMessage } from '../../machine/ndjson.js';
import { latencies } from '../measure.js';
import { DESCRIPTOR_RESERVE, descriptorLimit } from '../place/limits.js';
import type { NeighbourCommand, NeighbourEvent } from './neighbour-protocol.js';

const say = (event: NeighbourEvent) => writeMessage(process.stdout, event);
let pool: Pool | undefined;

async function obey(command: NeighbourCommand): Promise<void> {
  switch (command.type) {
    case 'prepare':
      // Before the workers begin: a thread is where the one that started it was.
      if (command.namespace !== null) enterNamespace(command.namespace);
      pool = await createPool({
        ...command.input,
        descriptorLimit: descriptorLimit(),
        descriptorReserve: DESCRIPTOR_RESERVE,
      });
      return say({ type: 'prepared' });
    case 'start':
      pool?.start(command.leadMicros);
      pool?.drained.then(() => say({ type: 'drained' }), fail);
      return;
    case 'stop':
      return pool?.stop();
    case 'finish': {
      const report = await pool!.finish();
      const { outcomes } = report;
      say({ type: 'report', report: { attempts: totalOf(outcomes), outcomes, latency: latencies(report) } });
    }
  }
}

function fail(error: unknown): void {
  say({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
}

if (!dieWithParent(process.ppid)) process.exit(1);
try {
  for await (const line of readLines(process.stdin)) await obey(JSON.parse(line) as NeighbourCommand);
} catch (error) {
  fail(error);
}
// The agent has closed the pipe: the run is over.
process.exit(0);
