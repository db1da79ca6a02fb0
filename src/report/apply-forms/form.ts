/**
 * The other forms of a recommended change, for machines that are not configured by files of sysctl.d: what each is written from. Pure.
 */

/** A change of sysctls, and all that its files say of it. */
export interface AppliedChange {
  /** Of files, units and profiles: `zz-bindstorm-wider-range`. */
  readonly base: string;
  /** In one line, such as `bindstorm: wider-range, the change that helped in …`. */
  readonly title: string;
  /** What was measured and what to beware of, a line each, for a comment. */
  readonly facts: readonly string[];
  /** At the scale of a machine. */
  readonly sysctls: readonly { readonly name: string; readonly value: string }[];
  /** Of them, those that are the whole machine's: no container or namespace has a value of its own. */
  readonly machineWide: readonly string[];
  readonly dropIn: DropInPlaces;
}

/** Where the drop-in goes, and its commands for sh(1). */
interface DropInPlaces {
  /** Name of the file. */
  readonly name: string;
  /** Its path on the machine. */
  readonly path: string;
  /** Path of what was in force before. */
  readonly record: string;
  /** Prints `name = value` of what is in force. */
  readonly read: string;
  /** Prints a line for each setting that is not in force. */
  readonly check: string;
}

export interface ApplyFile {
  /** In the folder `apply/`. */
  readonly name: string;
  readonly content: string;
}

/** One way to carry the change to machines. */
export interface Form {
  /** As its users call it. */
  readonly of: string;
  /** Whether it sets the values of a network namespace alone, so that nothing of the whole machine can be in it. */
  readonly namespaceOnly: boolean;
  readonly write: (change: AppliedChange) => ApplyFile;
}

/** Each text on one line behind a `#`: none may become a line of its own, which would be a setting. */
export function comment(texts: readonly string[]): string[] {
  return texts.map((text) => `# ${text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')}`.trimEnd());
}

/** Lines of a file. */
export function lines(parts: readonly string[]): string {
  return `${parts.join('\n')}\n`;
}
