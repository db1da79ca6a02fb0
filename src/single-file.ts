/**
 * The first code of the single executable (`npm run build:sea`): unpacks its files unless that was done before, and starts one of their modules.
 * That is the command line, or, when this program starts itself as `node module …`, the module that is named.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { getAsset, getRawAsset } from 'node:sea';
import { EXIT, UserError } from './domain/error.js';
import { NODE_OPTIONS } from './machine/node-command.js';
import { unpackedFolder } from './machine/unpack.js';

/** What this program starts by path: agents, roles and the rest of dist/bundle beside the command line. */
const OWN_MODULE = /^\/.*\/dist\/bundle\/(?:agent|subjects)\/[\w./-]+\.js$/;

/** Where the entry of a program of ours is in the arguments, behind the options that Node would take. */
function ownModule(words: readonly string[]): number | undefined {
  const at = words.findIndex((word) => !NODE_OPTIONS.includes(word));
  const module = words[at] ?? '';
  return OWN_MODULE.test(module) && existsSync(module) ? at : undefined;
}

/** Become `module`, with the arguments that it would have of Node. All of them are of the older kind of module (scripts/bundle.mjs). */
function start(module: string, args: readonly string[]): void {
  process.argv.splice(1, process.argv.length, module, ...args);
  createRequire(module)(module);
}

function fail(error: unknown, exitCode: number): void {
  const text = error instanceof UserError ? error.explain() : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`bindstorm: ${text}\n`);
  process.exitCode = exitCode;
}

const words = process.argv.slice(2);
const own = ownModule(words);
try {
  if (own !== undefined) start(words[own]!, words.slice(own + 1));
  else {
    const read = () => new Uint8Array(getRawAsset('files') as ArrayBuffer);
    const root = unpackedFolder({ key: getAsset('key', 'utf8'), read }, dirname(process.execPath));
    start(`${root}/dist/bundle/cli/main.js`, words);
  }
} catch (error) {
  fail(error, own === undefined ? EXIT.noLab : EXIT.runFailed);
}
