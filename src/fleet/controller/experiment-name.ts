/**
 * What a fleet calls an experiment.
 */
import { randomBytes } from 'node:crypto';
import { wordOf } from '../subjects.js';

/** Like no other on the server. @param profile the name of the profile */
export function experimentName(profile: string): string {
  return `${wordOf(profile).slice(0, 40)}-${randomBytes(5).toString('hex')}`;
}
