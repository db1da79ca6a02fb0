/**
 * The lab: the throwaway place where a run happens. A lab is opened for one run (or for the rehearsal before the first), gives a
 * conversation with the agent inside it, and is gone when it is closed or when this process dies.
 */
import type { AgentEvent, Command } from '../agent/protocol.js';
import { EXIT, UserError } from '../domain/error.js';
import type { Runner } from '../domain/guest.js';
import type { LabKind } from '../domain/lab.js';
import type { Arm } from '../plan/plan.js';

export { LabError } from '../domain/error.js';

/** Says something to the user, beside the results: before slow steps, and what became of something. */
export type Note = (text: string) => void;

export interface Lab {
  readonly kind: LabKind;
  /** What a report says of it. */
  readonly description: string;
  /** What runs its virtual machine; known once a lab has been opened, and absent where there is none. */
  readonly engine?: Runner | undefined;
  /** What a reader of its figures must know; known once a lab has been opened. */
  readonly caveat?: string | undefined;
  /** Refuse what can be seen without opening it, before packages are fetched for it. Throws LabError. */
  refuse?(): void;
  /**
   * Start an agent in a fresh lab, for a run or only to look around; resolves at its hello. Rejects with LabError.
   * @param signal ends what is still coming up, in a lab where that takes long; others may leave it to the caller to close
   * @param arm of the run: a lab whose machine serves several runs gives a machine of its own to one that sets what is the machine's
   */
  open(purpose: 'run' | 'check', signal?: AbortSignal, arm?: Arm): Promise<LabSession>;
  /** Make the lab of the next run ready, while no load is under way. Nothing where one is waiting already, or will be. */
  prepare?(): void;
  /**
   * End what was begun ahead of its use and is not going to be used, and put away what serves more than one run, as a Vagrant box.
   * Called once, after the last session, also when the first could not be opened. Rejects with LabError, which names what is left.
   */
  release?(): Promise<void>;
}

export interface LabSession {
  readonly hello: Extract<AgentEvent, { type: 'hello' }>;
  /** Milliseconds that the boot of a guest took, its kernel and its init; null where there is no guest. */
  readonly bootMs: number | null;
  /** What a reader of the run must know of how it came up. */
  readonly warnings: readonly string[];
  send(command: Command): void;
  /** The next event. Rejects with AgentDied when the agent ends instead, and with ProtocolError for what is not a message. */
  next(): Promise<AgentEvent>;
  /** End the agent, and with it the lab. */
  close(): Promise<void>;
  /** Kill the agent, for one that does not answer. */
  kill(): void;
  /** The end of what the agent wrote to standard error. */
  stderr(): string;
}

/** SIGINT, SIGTERM or SIGHUP came while the lab was being made. */
export class LabInterrupted extends UserError {
  override name = 'LabInterrupted';
  constructor(message: string, options?: ErrorOptions) {
    super(message, { ...options, exitCode: EXIT.interrupted });
  }
}

/** The agent ended before it answered. */
export class AgentDied extends UserError {
  override name = 'AgentDied';
  constructor(message: string) {
    super(message, { exitCode: EXIT.noLab });
  }
}
