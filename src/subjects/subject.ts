/**
 * What a kind of subject is to everybody else. Nobody outside of this folder compares kinds: what differs between them is a trait or
 * a method here. `index.ts` is the list of them.
 */
import type { z } from 'zod';
import type { Protocol } from '../domain/protocol.js';
import type { Settings } from '../domain/setting.js';
import type { StrategyName } from '../domain/strategy.js';
import type { Target } from '../domain/target.js';
import type { PortRange } from '../domain/units.js';
import type { ProgramPackages } from '../machine/debian-program.js';
import type { BaseRules } from './base/base.js';
import type { Ending, EndingLoad } from './ending.js';
import type { LogBook, LogEvent } from './running/log-book.js';
import type { SayProblem } from './settings.js';

/** What is known of every kind. */
export interface Subject<S = never> {
  readonly kind: string;
  /**
   * Whose ports are under test: those of the load itself, those of a proxy that the lab starts in a role of its own, those of a router
   * that the load's own connections pass, or those of a proxy that runs elsewhere, of which nothing is known but its answers.
   */
  readonly role: 'client' | 'proxy' | 'router' | 'elsewhere';
  /** What a profile may say of it beside its kind. */
  readonly settings: Settings;
  /** What its clients may say to it, the usual first. @param settings of a proxy that the lab starts */
  protocols(settings?: S): readonly [Protocol, ...Protocol[]];
}

/** What an arm gives a proxy to work with. */
export interface ArmOfProxy {
  /** The settings that the profile names. */
  readonly named: ReadonlySet<string>;
  /** Outgoing addresses; empty when they are in doubt themselves. */
  readonly addresses: readonly string[];
}

/** What the file of a kind says of a proxy that the lab starts. Its functions take complete settings of that kind. */
export interface ProxyFacts<S> {
  protocols(settings: S): readonly [Protocol, ...Protocol[]];
  /** The Debian packages that have it, with a space between them. */
  readonly debianPackage: string;
  /** Arguments that make the program print its version, and how to find it in what is printed; absent: it does not say. */
  readonly version?: { readonly args: readonly string[]; readonly pattern: RegExp };
  /** One listener a destination, instead of clients that say where they want to go. */
  readonly reverse: boolean;
  /** How it gets the local address and port of an outgoing connection. @param version as the program says; null: unknown */
  strategy(settings: S, version: string | null): StrategyName;
  /** The ports that it takes by itself, without the kernel's choice; null: none. */
  ownPorts?(settings: S): PortRange | null;
  /** Milliseconds that it keeps a port that it has given to a client, whatever becomes of that; absent: until the answer. */
  readonly keepsPortMs?: number;
  /** The outcome that its client has when it finds no port in its own list, without a call that would fail. */
  readonly whenFull?: string;
  /** Its sockets towards the origin are there before it is asked, and serve all who ask. */
  readonly standing?: boolean;
  /** Why how much fits follows from no rule of the kernel's, as a clause; null: it does. */
  unmodelled?(settings: S): string | null;
  /** Say what is wrong with its settings, or with what the arm gives it. */
  check?(settings: S, arm: ArmOfProxy, say: SayProblem): void;
  /** Its configuration has a line for each pair of an outgoing address and a destination. */
  linePerPair?(settings: S): boolean;
  /** It draws its outgoing addresses by lot, instead of taking them in turn. */
  draws?(settings: S): boolean;
  /** How its connection to the origin ends. */
  ending(settings: S, load: EndingLoad): Ending | 'unknown';
  /** It first asks for the port that its client has, in or outside of the range. */
  readonly takesClientsPorts?: boolean;
  /** It closes its outgoing connection whenever its client closes, and is the first to do so. */
  readonly closesWithClient?: boolean;
  /** How a configuration file of the user's own can be its base; absent: it cannot. */
  base?(settings: S): BaseRules;
  /** What it is in the table of fixes (`bindstorm fixes --subjects`); absent: it has no row. */
  readonly fixRow?: FixRow;
  /** The names of its programs in the Debian package, the first that which is started; absent: the default of `binary`. */
  readonly programs?: readonly [string, ...string[]];
  /** What it needs of a machine that has nothing; absent: no more than any program. @param binary its path */
  belongings?(settings: S, binary: string): Belongings;
  /**
   * Only of any program of the user's: where it says that it listens, and whether its clients ask it as an origin; null: it drives itself.
   */
  entrance?(settings: S): { readonly port: number; readonly reverse: boolean } | null;
  /** Only of a kind that is a network of several processes. */
  readonly network?: NetworkTraits<S>;
}

/** A kind of proxy that the lab starts. */
export interface ProxySubject<S = never> extends Subject<S>, ProxyFacts<S> {
  readonly role: 'proxy';
  /** What its settings are when a profile names none. */
  readonly defaults: S;
  /** Of complete settings, for plans, journals and results. */
  readonly schema: z.ZodObject;
  protocols(settings: S): readonly [Protocol, ...Protocol[]];
  /** The Debian suite, or folder of packages, that its program is fetched from without being installed; null: it is this machine's. */
  source(settings: S): string | null;
  /** What of such packages makes the program. */
  readonly unpacked: ProgramPackages;
  /** Start it, and wait until it can be used. Rejects with ProxyError when it ends before, or is not ready in time. */
  start(settings: S, input: StartInput): Promise<RunningProxy>;
}

/** A kind of router between the load and the origin. */
export interface RouterSubject<S = never> extends Omit<Subject, 'protocols'> {
  readonly role: 'router';
  /** What is said to the origin behind it. */
  protocols(): readonly [Protocol, ...Protocol[]];
  readonly defaults: S;
  readonly schema: z.ZodObject;
  /** Say what is wrong with its settings. */
  check(settings: S, say: SayProblem): void;
}

/** The part of a network that its clients speak to is beside them, and starting makes connections of its own. */
export interface NetworkTraits<S> {
  /** Ports in the clients' namespace that only it may have. @param listen where clients find it */
  portsBesideClients(listen: Target): readonly number[];
  /** Milliseconds that it usually takes to come up, and those after which it has not. */
  readonly usualStartMs: number;
  longestStartMs(settings: S): number;
}

/** The load of a row in the table of fixes. */
interface FixRow {
  /** Connections that the client closes, or GETs to an origin that leaves it to the proxy to close. */
  readonly load: 'connections' | 'requests';
  /** Outgoing addresses, where it cannot have two. */
  readonly addresses?: 1;
  /** Settings that it needs for it. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The clients have the port range under test too. */
  readonly clientsShareRange?: boolean;
  /** Fix of the catalogue → why this program cannot be told so, where the catalogue does not say it. */
  readonly cannot?: Readonly<Record<string, string>>;
}

/** What a program needs of a machine beside itself and its libraries, where it is brought to one. */
export interface Belongings {
  /** Other programs that it starts or is started with, by name or path. */
  readonly programs?: readonly string[];
  /** Other programs that it is better off with. */
  readonly perhaps?: readonly string[];
  /** Files and folders, absolute; those that another distribution has elsewhere, or not at all, are left out. Modules in them get their libraries. */
  readonly files?: readonly string[];
  /** The same, of which each must be there. */
  readonly named?: readonly string[];
  /** Files and folders that must be there, and need no library that is not in them. */
  readonly whole?: readonly string[];
  /** Modules of the kernel. */
  readonly modules?: readonly string[];
}

/** What a proxy is set up with in its lab. */
export interface ProxySetup {
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
  /** Which of the options that not every build takes this one does. */
  readonly options?: ReadonlySet<string>;
  /** The folder that stands for `/` to a program that is not installed; absent: it is. */
  readonly root?: string;
}

/** What starting it needs to know of the role that it is started in. */
export interface StartInput {
  readonly setup: ProxySetup;
  /** The path of the program, and what it says of its version. */
  readonly binary: string;
  readonly version: Promise<string | null>;
  /** What stands before the command of its nth program, as a tracer. */
  prefix(nth: number): readonly string[];
  /** The caller is root of the machine, not of a user namespace. */
  readonly root: boolean;
  /** The address of the role that clients can reach. */
  readonly roleAddress: string;
  /** The network namespace of the clients, as a path that nsenter(1) takes. */
  readonly clientNamespace: string;
  /** It drives itself, and nobody waits until it listens. */
  readonly own: boolean;
  /** Milliseconds that it may take until it listens. */
  readonly readyMs: number;
  /** Environment variables that the lab gives it; a value of its settings goes before. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told what the program is configured with before it starts: file name → text. */
  configured(files: Readonly<Record<string, string>>): void;
}

/** How long a network took until it could be used. */
export interface Bootstrap {
  /** From the start to the first byte through the last exit. */
  readonly seconds: number;
  /** With keys and consensus of an earlier one. */
  readonly cached: boolean;
}

/** A proxy that was started. */
export interface RunningProxy {
  /** How it ended; resolves when it has. */
  readonly ended: Promise<string>;
  /** How it ended, when it already has. */
  end(): string | null;
  /** Of a single program: its process, and bytes that it has printed. */
  readonly pid?: number;
  printed?(): number;
  /** Read what was added to the logs since the last time. */
  readLogs(): LogBook;
  /** End it, and wait for its end. */
  stop(): Promise<void>;
  /** Only of a network. */
  readonly bootstrap?: Bootstrap;
}

/** The files and the command line of one program. */
interface Configuration {
  /** File name in the directory → text. */
  readonly files: Readonly<Record<string, string>>;
  /** Program and arguments. It must stay in the foreground. */
  readonly argv: readonly string[];
  /** Only of any program: its environment, the folder that it starts in (where bindstorm is started), and who it is (null: the caller). */
  readonly env?: Readonly<Record<string, string>>;
  readonly workdir?: string;
  readonly user?: string | null;
  /** Log files in the directory that are read line by line, beside standard output and standard error. */
  readonly logs: readonly string[];
  /** How it is ended: a signal, and SIGKILL when it has not ended in time. */
  readonly stop: { readonly signal: NodeJS.Signals; readonly deadlineMs: number };
}

/** What the file of a kind says of a proxy that is one program. Pure; starting, watching and stopping are the same for all of them. */
export interface ProgramFacts<S> extends ProxyFacts<S> {
  /** Settings → files and command line. */
  configure(settings: S, binary: string, setup: ProxySetup): Configuration;
  /** What a line of a log (its file name, or a stream) says; null: nothing of interest. */
  readLine(log: string, line: string, setup: ProxySetup): LogEvent | null;
  /** Arguments that make the program print how it was built, where its configuration hangs on that. */
  readonly build?: readonly string[];
  /** Options of its configuration that not every build of it takes. The program itself is searched for their names, since distributions add some to old versions. */
  readonly options?: readonly string[];
  /** What it is asked before it is ended, at a socket in its directory, and what the answer says. */
  readonly question?: { readonly socket: string; readonly text: string; read(answer: string): LogEvent | null };
}
