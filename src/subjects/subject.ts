/**
 * What a kind of proxy is to the lab: how settings become a configuration and a command line, and what its log says. All of it
 * pure; starting, watching and stopping are the same for every kind (process.ts).
 */

import type { StrategyName } from '../domain/strategy.js';
import type { Target } from '../domain/target.js';
import type { ProxySettings } from './settings.js';

/** Where a proxy stands in its lab. */
export interface Place {
  /** A folder of its own, which it may write to, and which is gone with the lab. */
  readonly directory: string;
  /** Where its clients find it: a forward proxy in one place, a reverse proxy in one for each destination. */
  readonly listen: readonly [Target, ...Target[]];
  readonly destinations: readonly Target[];
  /** Its outgoing addresses, in the order of the arm. */
  readonly outgoing: readonly string[];
  /** The clients' addresses by the outgoing address that is theirs: each row is a run of consecutive addresses. */
  readonly clients: readonly (readonly string[])[];
  /** Descriptors that it may have. */
  readonly descriptors: number;
  /** What the program prints of how it was built; absent where the kind does not ask. */
  readonly build?: string;
}

/** A configured proxy, ready to be started. */
export interface Program {
  /** File name in the directory → text. */
  readonly files: Readonly<Record<string, string>>;
  /** Program and arguments. It must stay in the foreground. */
  readonly argv: readonly string[];
  /** Log files in the directory that are read line by line, beside standard output and standard error. */
  readonly logs: readonly string[];
  /** How it is ended: a signal, and SIGKILL when it has not ended in time. */
  readonly stop: { readonly signal: NodeJS.Signals; readonly deadlineMs: number };
}

/** The streams of a started program, as a name beside those of its log files. */
export const STANDARD_ERROR = 'standard error';
export const STANDARD_OUTPUT = 'standard output';

/** What one line of a log says. */
export type LogEvent =
  /** An outgoing connection failed. `call` and `errno` are null where the line does not tell. */
  | { readonly kind: 'failure'; readonly call: 'bind' | 'connect' | null; readonly errno: string | null }
  /** The line of an access log: how a request ended, in the proxy's own words. */
  | { readonly kind: 'request'; readonly result: string; readonly trouble?: string }
  /** The proxy was not what was to be measured, as when it ran out of descriptors: in a sentence without a full stop. */
  | { readonly kind: 'trouble'; readonly what: string };

/** What is known of a kind of proxy, however it is started. */
export interface ProxyFacts<S extends ProxySettings = ProxySettings> {
  /** The Debian packages that have it, with a space between them. */
  readonly debianPackage: string;
  /** One listener a destination, instead of clients that say where they want to go. */
  readonly reverse: boolean;
  /** How it gets the local address and port of an outgoing connection. @param version as the program says; null: unknown */
  strategy(settings: S, version: string | null): StrategyName;
  /** Arguments that make the program print its version, and how to find it in what is printed. */
  readonly version: { readonly args: readonly string[]; readonly pattern: RegExp };
}

/** A proxy that is one program. */
export interface Subject<S extends ProxySettings = ProxySettings> extends ProxyFacts<S> {
  /** Settings → configuration and command line. `binary` is the path that was found. */
  configure(settings: S, binary: string, place: Place): Program;
  /** What a line of a log (its file name, or a stream) says; null: nothing of interest. */
  readLine(log: string, line: string, place: Place): LogEvent | null;
  /** Arguments that make the program print how it was built, where its configuration hangs on that. */
  readonly build?: readonly string[];
  /** What it is asked before it is ended, at a socket in its directory, and what the answer says. */
  readonly question?: {
    readonly socket: string;
    readonly text: string;
    read(answer: string): LogEvent | null;
  };
}
