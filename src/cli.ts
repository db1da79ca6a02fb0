#!/usr/bin/env node
/**
 * The command line: one thin file per command (src/commands/).
 *
 * A health check starts `watch` every few seconds, and a script asks for the version: charts and schemas, which they do not use, take longer to
 * load than what they do. So `watch` is joined into one file with this one, and what has every command lies apart (scripts/bundle.mjs).
 */
import './machine/no-debugger.js';

const [first = '', ...others] = process.argv.slice(2);
const isVersion = others.length === 0 && (first === '--version' || first === '-V');
if (isVersion) void import('./commands/only-version.js');
else if (first === 'watch') void import('./commands/only-watch.js');
else void import('./commands/every-command.js');
