/**
 * The first code of the single executable (`npm run build:sea`): unpacks its files unless that was done before, and starts one of their modules.
 * That is the command line, or, when this program starts itself as `node module …`, the module that is named.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { getAsset, getRawAsset } from 'node:sea';
import { pathToFileURL } from 'node:url';
import { EXIT, UserError } from './domain/error.js';
import { NODE_OPTIONS } from './machine/node-command.js';
import { unpackedFolder } from './machine/unpack.js';

/** What this program starts by path: agents, roles and the rest of dist/bundle beside the command line. */
const OWN_MODULE = /^(\/.*)\/dist\/bundle\/(?:agent|subjects)\/[\w./-]+\.js$/;

/** The entry of a program of ours in the arguments, behind the options that Node would take. */
function ownModule(words: readonly string[]): { readonly at: number; readonly root: string } | undefined {
  const at = words.findIndex((word) => !NODE_OPTIONS.includes(word));
  const root = OWN_MODULE.exec(words[at] ?? '')?.[1];
  return root !== undefined && existsSync(words[at]!) ? { at, root } : undefined;
}

/** Become `module`, with the arguments that it would have of Node. */
function start(root: string, module: string, args: readonly string[]): void {
  process.argv.splice(1, process.argv.length, module, ...args);
  // The embedded script has no import() of files; a module that was loaded from one has.
  const load = createRequire(module)(`${root}/dist/bundle/shared/start.cjs`) as (url: string) => Promise<unknown>;
  load(pathToFileURL(module).href).catch((error: unknown) => fail(error, EXIT.runFailed));
}

function fail(error: unknown, exitCode: number): void {
  const text = error instanceof UserError ? error.explain() : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`bindstorm: ${text}\n`);
  process.exitCode = exitCode;
}

const words = process.argv.slice(2);
const own = ownModule(words);
if (own) start(own.root, words[own.at]!, words.slice(own.at + 1));
else {
  try {
    const read = () => new Uint8Array(getRawAsset('files') as ArrayBuffer);
    const root = unpackedFolder({ key: getAsset('key', 'utf8'), read }, dirname(process.execPath));
    start(root, `${root}/dist/bundle/cli/main.js`, words);
  } catch (error) {
    fail(error, EXIT.noLab);
  }
}
