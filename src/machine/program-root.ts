/**
 * The folder of a program that was unpacked and not installed (debian-program.ts).
 */
import { dirname, join } from 'node:path';

/** The folder in it that stands for `/`. @param program path of what starts it */
export function rootOf(program: string): string {
  return join(dirname(program), 'root');
}
