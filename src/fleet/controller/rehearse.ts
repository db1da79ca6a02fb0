/**
 * The rehearsal of an experiment, on a machine of the fleet: the controller's own may be of another kernel, and lack the programs.
 */
import { parseKernelVersion } from '../../capacity/kernel-version.js';
import { messageOf } from '../../domain/error.js';
import type { KnownPlace, KnownPlaces } from '../../experiment/places.js';
import { waitingFor } from '../../machine/heartbeat.js';
import type { Experiment } from '../../plan/plan.js';
import { type Bus, FleetError } from '../bus.js';
import { decode, encode } from '../messages.js';
import { type AgentState, type Answer, answerSchema } from '../protocol.js';
import { readSettings, SILENT_BEATS } from '../server/streams.js';
import { SUBJECTS } from '../subjects.js';
import { followAgents, watchFor } from './attendance.js';

/** A rehearsal with kernels that have to be fetched takes minutes; an agent that is gone is noticed by its silence. */
const REHEARSAL_MS = 300_000;
/** A server that is away for longer has lost the question. */
const AWAY_MS = 30_000;

/**
 * Ask one agent after the other, those first that have nothing to do, until one answers.
 * @returns what it found, its refusals of the profile too. Rejects with FleetError where none could try
 */
export async function rehearseOn(
  bus: Bus,
  agents: readonly AgentState[],
  experiment: Experiment,
  say: (text: string) => void,
): Promise<KnownPlaces> {
  const failures: string[] = [];
  const { beatMs } = await readSettings(bus);
  const attendance = await followAgents(bus, SILENT_BEATS * beatMs);
  const watch = watchFor(bus, attendance, AWAY_MS);
  const idleFirst = [...agents].sort((a, b) => Number(a.doing !== null) - Number(b.doing !== null));
  try {
    for (const { name } of idleFirst) {
      const asked = bus.ask(SUBJECTS.ask(name), encode({ type: 'rehearse', experiment }), REHEARSAL_MS);
      const answer = await waitingFor(`the rehearsal, on ${name}`, watch.orGone(name, asked), say).then(
        (data) => decode(data, answerSchema),
        (error: unknown): Answer => ({ type: 'failed', message: messageOf(error) }),
      );
      if (answer.type === 'rehearsed') return placesOf(answer);
      failures.push(`${name}: ${answer.type === 'failed' ? answer.message : `it answered ${answer.type}`}`);
    }
  } finally {
    watch.stop();
    attendance.stop();
  }
  throw new FleetError(`no agent could try what the profile needs: ${failures.join('; ')}`);
}

function placesOf({ experiment, places, findings, warnings }: Extract<Answer, { type: 'rehearsed' }>): KnownPlaces {
  const [first, ...rest] = places.map(
    ({ name, environment }): KnownPlace => ({
      name,
      environment,
      kernel: parseKernelVersion(environment.kernel, environment.hz),
    }),
  );
  return {
    experiment,
    all: [first!, ...rest],
    findings: findings.map(({ arm, or, lack, at, ...finding }) => ({
      ...finding,
      ...(arm === undefined ? {} : { arm }),
      ...(or === undefined ? {} : { or }),
      ...(lack === undefined ? {} : { lack }),
      ...(at === undefined ? {} : { at }),
    })),
    warnings,
  };
}
