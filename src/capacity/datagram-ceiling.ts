/**
 * How many UDP sockets a strategy can have at once: P·S where bind() names an address, P for the whole network namespace where it does not,
 * and never ·D, since a UDP port belongs to one socket whatever it talks to. Measured on 6.18.44, IPv4 and IPv6 alike. Pure.
 */
import { type DatagramUse, sharesPorts } from '../domain/datagram.js';
import { optionSince, strategyOf } from '../domain/strategy.js';
import { hasOption } from './bind-era.js';
import { type Ceiling, type Row, row } from './ceiling-row.js';
import { kernelSeries } from './kernel-version.js';
import type { PredictInput } from './predict-input.js';

const IN_BIND = 'udp_lib_get_port(), net/ipv4/udp.c';
const IN_AUTOBIND = 'inet_autobind(), net/ipv4/af_inet.c; udp_lib_get_port(), net/ipv4/udp.c';

/** The ceiling of UDP sockets. */
export function datagramCeiling(input: PredictInput, use: DatagramUse): Ceiling {
  const { address, port } = strategyOf(input.strategy);
  const missing = missingOption(input, use);
  if (missing) return missing;
  if (input.unmodelled !== null)
    return {
      ...row(input, {
        factors: ['P', 'S'],
        concurrent: null,
        formula: 'not modelled',
        fails: 'bind:EADDRINUSE',
        rule: input.unmodelled,
        source: IN_BIND,
      }),
      most: Number.POSITIVE_INFINITY,
    };
  // A named port is bound by bind() whatever the options say.
  const postponed = address !== 'none' && use.options.includes('IP_BIND_ADDRESS_NO_PORT') && port !== 'program';
  const inBind = address !== 'none' && !postponed;
  const fails = inBind ? 'bind:EADDRINUSE' : use.peer === 'connect' ? 'connect:EAGAIN' : 'sendto:EAGAIN';
  const base = {
    factors: address === 'chosen' ? ['P', 'S'] : ['P'],
    elsewhere: address === 'chosen' ? 0 : input.heldElsewhere,
    fails,
    source: inBind ? IN_BIND : IN_AUTOBIND,
  } as const satisfies Partial<Row>;
  const open = (rule: string) =>
    row(input, {
      ...base,
      concurrent: null,
      most: Number.POSITIVE_INFINITY,
      unbounded: true,
      formula: 'no limit',
      rule,
    });
  if (use.sockets === 'one') return open('a socket serves many attempts, so that a further one takes no port');
  if (use.peer === 'none' && !inBind)
    return open('with IP_BIND_ADDRESS_NO_PORT bind() takes no port, and nothing is sent that would need one');
  if (sharesPorts(use.options))
    return open(
      'sockets with SO_REUSEADDR or SO_REUSEPORT share ports blindly, so that none is ever missing; but of the sockets that share a port one gets the answers of all',
    );
  return row(input, { ...base, rule: ruleOf(input, inBind) });
}

function ruleOf(input: PredictInput, inBind: boolean): string {
  const never = 'a UDP port has one socket, so that destinations do not count';
  const { address, port } = strategyOf(input.strategy);
  if (address === 'any') {
    const any = input.family === 4 ? '0.0.0.0' : '::';
    return `a socket bound to ${any} conflicts with every socket on its port: one pool for the whole network namespace; ${never}`;
  }
  if (address === 'none')
    return `without bind() a socket gets its port before it has an address, and so conflicts with every socket on that port: one pool for the whole network namespace, whatever the addresses; ${never}`;
  if (port === 'program') return `a named port is bound once for each address; ${never}`;
  return inBind
    ? `bind() picks a port for each address; ${never}`
    : `the port is chosen when the first datagram is sent, among those of the address that was bound; ${never}`;
}

function missingOption(input: PredictInput, { options }: DatagramUse): Ceiling | undefined {
  const lacking = options.find((option) => hasOption(input.kernel, option) !== 'yes');
  if (lacking === undefined) return undefined;
  const born = `${lacking} came with ${optionSince(lacking)}`;
  const known = hasOption(input.kernel, lacking) === 'no';
  return row(input, {
    factors: ['P'],
    concurrent: known ? 0 : null,
    fails: 'setsockopt:ENOPROTOOPT',
    formula: known ? `0 (${born})` : `no closed form (${born})`,
    rule: known
      ? `${born}, so setsockopt() fails on ${kernelSeries(input.kernel)}`
      : `${born}, and this vendor's ${kernelSeries(input.kernel)} may or may not have it by a backport`,
    source: 'ip(7), socket(7)',
  });
}
