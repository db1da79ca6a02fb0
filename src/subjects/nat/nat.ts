/**
 * A router with NAT between the clients and the origin: the ports that run out are those of its address, and nobody is told. Pure.
 */
import { z } from 'zod';
import { setting, type ValueKind } from '../../domain/setting.js';
import { oneOf, orNull, portRange, whole } from '../../domain/values.js';
import { router } from '../define.js';
import type { SayProblem, SettingsOf } from '../settings.js';

const RULES = ['masquerade', 'snat', 'redirect', 'tproxy'] as const;
const FLAGS = ['random', 'fully-random', 'persistent'] as const;
type Flag = (typeof FLAGS)[number];

const flags: ValueKind<Flag[]> = {
  written: z.array(z.enum(FLAGS).meta({ example: '- random' })).max(FLAGS.length),
  kept: z.array(z.enum(FLAGS)),
  text: (all) => (all.length === 0 ? 'none' : all.join(', ')),
  words: (all) => (all.length === 0 ? 'none' : all.join(', ')),
};

const SETTINGS = {
  rule: setting(oneOf(RULES), {
    default: 'masquerade',
    describe:
      'what the router does: masquerade: the address of its link; snat: addresses that the rule names; redirect, tproxy: give connections to a proxy of its own',
    example: 'snat',
  }),
  // What one client gets of a second address is the question.
  natAddresses: setting(whole(1, 64), {
    default: 1,
    describe: 'with snat: NAT addresses, consecutive, of the lab',
    example: '2',
  }),
  natPorts: setting(orNull(portRange, 'those that the kernel takes by itself'), {
    default: null,
    defaultText: 'none named: 1024-65535, for source ports from 1024 on',
    describe: 'the ports that the rule names, as in masquerade to :40000-40099',
    example: '40000-40099',
  }),
  flags: setting(flags, {
    default: [],
    describe: 'flags of the rule: random, fully-random, persistent',
    example: '[fully-random]',
  }),
  choose: setting(oneOf(['hash', 'numgen', 'jhash']), {
    default: 'hash',
    describe:
      'which of several NAT addresses a connection gets: hash: one rule, and the kernel hashes client and destination; numgen: a rule for each, by turns; jhash: a rule for each, by source port',
    example: 'numgen',
  }),
  zones: setting(oneOf(['none', 'original', 'both']), {
    default: 'none',
    describe: 'a conntrack zone for each client address: of the original direction, or of both without one for replies',
    example: 'original',
  }),
  holds: setting(whole(0, 4096), {
    default: 0,
    describe:
      'connections that a program of the router itself holds before the load, to the first destination, from the ports of natPorts in order',
    example: '20',
  }),
  tries: setting(whole(0, 4096), {
    default: 0,
    describe:
      'connections that a program of the router itself tries after the load, while what it holds is still there, from its own range of ports',
    example: '20',
  }),
  listens: setting(orNull(whole(1, 65_535), 'none'), {
    default: null,
    describe: 'a port on which a program of the router listens, on all its addresses',
    example: '40000',
  }),
  tool: setting(oneOf(['nft', 'iptables-nft', 'iptables-legacy']), {
    default: 'nft',
    describe: 'who makes the rules: nft: nf_tables, which needs no program; the others by the program of that name',
    example: 'iptables-legacy',
  }),
} as const;

export type NatSettings = SettingsOf<'nat', typeof SETTINGS>;

export const nat = router('nat', SETTINGS, { protocols: () => ['tcp', 'udp'], check });

function check(settings: NatSettings, say: SayProblem): void {
  const { rule, natAddresses, natPorts, flags: named, choose, zones, holds, tool } = settings;
  const at = (key: string): [string[], string[]] => [
    ['subject', key],
    ['subject', 'rule'],
  ];
  if (natAddresses > 1 && rule !== 'snat')
    say(`rule ${rule} has no addresses of its own; write "rule: snat", or remove natAddresses`, ...at('natAddresses'));
  if (choose !== 'hash' && natAddresses === 1)
    say(
      `choose ${choose} takes turns between NAT addresses, and there is one; write "natAddresses: 2", or remove choose`,
      ...at('choose'),
    );
  if (rule === 'redirect' || rule === 'tproxy') {
    for (const [key, isNamed] of [
      ['natPorts', natPorts !== null],
      ['flags', named.length > 0],
      ['holds', holds > 0],
    ] as const)
      if (isNamed) say(`rule ${rule} changes no source ports by itself, so ${key} does nothing; remove it`, ...at(key));
  }
  if (holds > 0 && (natPorts === null || natPorts.high - natPorts.low + 1 < holds))
    say(
      `holds ${holds} needs as many ports to hold: give natPorts at least ${holds} ports, or lower holds`,
      ...at('holds'),
    );
  if (tool === 'nft') return;
  const lacks =
    choose !== 'hash'
      ? `choose ${choose}`
      : zones !== 'none'
        ? `zones ${zones}`
        : rule === 'tproxy'
          ? 'rule tproxy'
          : rule === 'masquerade' && named.includes('persistent')
            ? 'the flag persistent of masquerade'
            : undefined;
  if (lacks !== undefined)
    say(`${lacks} is made with nft only here; write "tool: nft", or remove it`, ['subject', 'tool'], ['subject']);
}
