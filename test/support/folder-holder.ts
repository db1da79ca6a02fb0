/** A process that locks the folder of its first argument, says `locked`, or why not, and holds it until its input ends. */
import { lockFolder } from '../../src/experiment/folder-lock.js';

try {
  const lock = lockFolder(process.argv[2]!, (text) => process.stdout.write(`note ${text}\n`));
  process.stdout.write('locked\n');
  process.stdin.resume().once('end', () => {
    lock.release();
    process.exit();
  });
} catch (error) {
  process.stdout.write(`refused ${error instanceof Error ? `${error.name}: ${error.message}` : error}\n`);
}
