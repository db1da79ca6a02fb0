/**
 * What a program needs of a machine beside itself and its libraries. On this machine it is there; a guest has only what it is given
 * (lab/vm/luggage.ts). Pure.
 */
import { optional, type Setting } from '../domain/setting.js';
import { texts } from '../domain/values.js';
import type { Belongings } from './subject.js';

/** Who starts a program (running/child.ts), and what the C library is asked for by most of them: users, ports by name, certificates. */
const OF_ALL: Belongings = {
  programs: ['sh', 'setpriv', 'unshare'],
  perhaps: ['strace'],
  files: [
    '/etc/passwd',
    '/etc/group',
    '/etc/services',
    '/etc/protocols',
    '/etc/ssl/certs/ca-certificates.crt',
    '/etc/pki/tls/certs/ca-bundle.crt',
  ],
};

/** Of every subject that the lab starts as a program. */
export const TAKES: Setting<string[] | undefined> = optional(texts({ most: 50, characters: 4096, item: './data' }), {
  defaultText: 'none',
  describe:
    'vm only: files and folders of this machine that the guest has too, at the same paths, beside the program, its libraries and what its kind needs. Relative to the profile',
  example: '[/usr/lib/python3.11]',
});

/** What is needed for any of them, and for these. */
export function togetherWith(...more: readonly Belongings[]): Required<Belongings> {
  const all = [OF_ALL, ...more];
  const of = (key: keyof Belongings) => [...new Set(all.flatMap((each) => each[key] ?? []))];
  return {
    programs: of('programs'),
    perhaps: of('perhaps'),
    files: of('files'),
    named: of('named'),
    whole: of('whole'),
    modules: of('modules'),
  };
}
