/** A process that begins a file and a folder and is killed before it has finished. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unfinishedFile, unfinishedFolder } from '../../src/machine/unfinished.js';

const [, , folder] = process.argv;
unfinishedFile(folder!, 0o600);
writeFileSync(join(unfinishedFolder(folder!).path, 'half'), '');
console.log('begun');
process.stdin.resume();
