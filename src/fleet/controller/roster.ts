/**
 * Who is in a fleet, and who can take part in an experiment.
 */
import { buildSum } from '../build.js';
import { type Bus, FleetError } from '../bus.js';
import { decoded } from '../messages.js';
import { patiently } from '../patience.js';
import { type AgentState, agentSchema, type Stranger, strangerSchema } from '../protocol.js';
import { FLEET_PROTOCOL, STREAMS, SUBJECTS } from '../subjects.js';
import { createGiver } from './give-build.js';

/** An agent that has given a sign of life within some beats. */
export type Seen =
  | { readonly kind: 'agent'; readonly state: AgentState; readonly clockAheadMs: number }
  /** Of another version: counts of two are not one experiment. */
  | { readonly kind: 'stranger'; readonly state: Stranger; readonly why: string };

/** Who is there, in the order of names. Rejects where the server does not answer. */
export async function whoIsThere(bus: Bus): Promise<Seen[]> {
  const messages = await bus.all(STREAMS.agents, SUBJECTS.agent('*'));
  const seen = messages.flatMap(({ data, time }) => seenIn(data, time) ?? []);
  return seen.sort((a, b) => a.state.name.localeCompare(b.state.name));
}

/** Who says it. @param time when the server took it: its clock is the measure @returns null for what no version says */
export function seenIn(data: Uint8Array, time: Date): Seen | null {
  const stranger = decoded(data, strangerSchema);
  if (stranger === undefined) return null;
  const why = strangeness(stranger);
  if (why !== null) return { kind: 'stranger', state: stranger, why };
  const state = decoded(data, agentSchema);
  return state ? { kind: 'agent', state, clockAheadMs: Date.parse(state.clock) - time.getTime() } : null;
}

function strangeness({ protocol, tool, build }: Stranger): string | null {
  if (protocol !== FLEET_PROTOCOL)
    return `bindstorm ${tool} speaks protocol ${protocol} of the fleet, and this is ${FLEET_PROTOCOL}`;
  return build === buildSum() ? null : `bindstorm ${tool} of another build (${build}; here it is ${buildSum()})`;
}

export interface Wanted {
  /** How many agents at least. */
  readonly agents: number;
  /** What one of them must be able to do; each of these sets. */
  readonly needs: readonly (readonly string[])[];
  /** Milliseconds after which those that are missing are refused by name. */
  readonly waitMs: number;
}

/**
 * Wait until enough agents are there, of which some can do each thing that is needed.
 * @returns all that are there. Rejects with FleetError at the deadline, which says who and what is missing
 */
export async function awaitAgents(
  bus: Bus,
  { agents, needs, waitMs }: Wanted,
  say: (text: string) => void,
): Promise<AgentState[]> {
  const deadline = performance.now() + waitMs;
  const giver = createGiver(bus, say);
  /** Instance of an agent → why it does not take this build; null: it does, or has not answered. */
  const refusals = new Map<string, string | null>();
  const offerTo = async (agent: Stranger) => {
    if (!agent.takes || refusals.has(agent.instance)) return;
    refusals.set(agent.instance, null);
    refusals.set(agent.instance, await giver.offer(agent));
  };
  for (let said = false; ; ) {
    const left = Math.max(0, deadline - performance.now());
    const seen = await patiently({ ms: left, note: say }, () => whoIsThere(bus));
    const offers = Promise.all(seen.map((one) => (one.kind === 'stranger' ? offerTo(one.state) : null)));
    const there = seen.flatMap((one) => (one.kind === 'agent' ? [one.state] : []));
    const lacking = needs.filter((set) => !there.some((agent) => set.every((need) => agent.abilities.includes(need))));
    if (there.length >= agents && lacking.length === 0) {
      // Those that take it come later, and find work.
      await offers;
      return there;
    }
    if (performance.now() >= deadline) throw new FleetError(whoIsMissing(seen, agents, lacking, refusals), REMEDY);
    if (!said) say(`waiting up to ${Math.round(waitMs / 1000)} s for agents: ${there.length} of ${agents} are there`);
    said = true;
    await new Promise((resolve) => setTimeout(resolve, Math.min(200, waitMs)));
  }
}

const REMEDY = 'start what is missing with `bindstorm fleet agent`, and look with `bindstorm fleet status`';

function whoIsMissing(
  seen: readonly Seen[],
  wanted: number,
  lacking: readonly (readonly string[])[],
  refusals: ReadonlyMap<string, string | null>,
): string {
  const there = seen.flatMap((one) => (one.kind === 'agent' ? [one.state] : []));
  const strangers = seen.flatMap((one) => {
    if (one.kind !== 'stranger') return [];
    const refusal = refusals.get(one.state.instance);
    return [`${one.state.name} is not taken: ${one.why}${refusal ? `, and does not take this one: ${refusal}` : ''}`];
  });
  const named = there.length === 0 ? '' : ` (${there.map(({ name }) => name).join(', ')})`;
  return [
    ...(there.length < wanted
      ? [`${wanted} ${wanted === 1 ? 'agent is' : 'agents are'} needed, and ${there.length} can be used${named}`]
      : []),
    ...lacking.map((needs) => `no agent has ${needs.join(', ')}`),
    ...strangers,
  ].join('; ');
}

/** Why none of these agents can do something; null: some can. */
export function whyNobody(agents: readonly AgentState[], needs: readonly string[]): string | null {
  if (agents.some(({ abilities }) => needs.every((need) => abilities.includes(need)))) return null;
  return `no agent of the fleet has ${needs.join(', ')}`;
}
