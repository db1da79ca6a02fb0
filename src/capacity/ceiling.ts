/**
 * How many connections a strategy can have at once: P·S, P·S·D and their like. Pure arithmetic, one function a way of
 * choosing the port; measured on 3.2, 3.3, 5.10, 6.1, 6.12, 6.18 and 7.2, and read in the sources between.
 */
import { strategyOf } from '../domain/strategy.js';
import { type BindEra, bindEra, hasStrategy } from './bind-era.js';
import { type Ceiling, type Row, row } from './ceiling-row.js';
import { datagramCeiling } from './datagram-ceiling.js';
import { forgetsTimeWait } from './kernel-changes.js';
import { kernelSeries } from './kernel-version.js';
import type { PredictInput } from './predict-input.js';
import { sharedPorts, usablePorts } from './search-order.js';

const IN_BIND = 'inet_csk_find_open_port(), net/ipv4/inet_connection_sock.c';
const IN_CONNECT = '__inet_hash_connect(), net/ipv4/inet_hashtables.c';
const IN_OLD_BIND = 'inet_csk_get_port(), net/ipv4/inet_connection_sock.c';

/** The ceiling of a strategy on a kernel. */
export function ceiling(input: PredictInput): Ceiling {
  if (input.datagram !== null) return datagramCeiling(input, input.datagram);
  const missing = missingOption(input);
  if (missing) return missing;
  if (input.unmodelled !== null) return unmodelled(input, input.unmodelled);
  const { port } = strategyOf(input.strategy);
  if (port === 'connect') return chosenByConnect(input);
  return port === 'program' ? chosenByProgram(input) : chosenByBind(input);
}

function missingOption(input: PredictInput): Ceiling | undefined {
  const { kernel, strategy } = input;
  const has = hasStrategy(kernel, strategy);
  if (has === 'yes') return undefined;
  const { options, since } = strategyOf(strategy);
  const known = has === 'no';
  const born = `${options.at(-1)} came with ${since}`;
  return row(input, {
    factors: ['P'],
    concurrent: known ? 0 : null,
    fails: 'setsockopt:ENOPROTOOPT',
    formula: known ? `0 (${born})` : `no closed form (${born})`,
    rule: known
      ? `${born}, so setsockopt() fails on ${kernelSeries(kernel)}`
      : `${born}, and this vendor's ${kernelSeries(kernel)} may or may not have it by a backport`,
    source: 'ip(7), socket(7)',
  });
}

function unmodelled(input: PredictInput, why: string): Ceiling {
  const rule = {
    factors: ['P', 'S'],
    concurrent: null,
    formula: 'not modelled',
    fails: 'bind:EADDRINUSE',
    rule: why,
  } as const;
  return { ...row(input, { ...rule, source: IN_BIND }), most: Number.POSITIVE_INFINITY };
}

/** connect() needs a free 4-tuple only; a port counts once for each source and destination. */
function chosenByConnect(input: PredictInput): Ceiling {
  const routed = strategyOf(input.strategy).address === 'none';
  const commit = input.strategy === 'local-port-range' ? ' (91d0b78c5177)' : routed ? '' : ' (90c337da1524)';
  return row(input, {
    factors: routed ? ['P', 'D'] : ['P', 'S', 'D'],
    elsewhere: input.heldElsewhere,
    fails: 'connect:EADDRNOTAVAIL',
    rule: routed
      ? 'connect() picks a port for each destination, and the route picks one source address, so further addresses add nothing'
      : 'connect() picks a port for each source address and destination',
    source: IN_CONNECT + commit,
  });
}

function chosenByProgram(input: PredictInput): Ceiling {
  const { options } = strategyOf(input.strategy);
  if (options.length === 0) {
    return row(input, {
      factors: ['P', 'S'],
      fails: 'bind:EADDRINUSE',
      rule: 'without SO_REUSEADDR a named port is bound once for each address, whatever the destination',
      source: 'inet_csk_bind_conflict(), net/ipv4/inet_connection_sock.c',
    });
  }
  return row(input, {
    factors: ['P', 'S', 'D'],
    fails: 'connect:EADDRNOTAVAIL',
    rule: `sockets with ${options.join(' and ')} share a named port, and connect() then needs a free 4-tuple`,
    source: 'inet_csk_bind_conflict(), net/ipv4/inet_connection_sock.c',
    takesOver: 'yes',
  });
}

function chosenByBind(input: PredictInput): Ceiling {
  const { address, options } = strategyOf(input.strategy);
  const era = eraOf(input);
  const any = address === 'any';
  if (options.includes('SO_REUSEPORT') && !['E', 'F'].includes(era)) return sharedByReuseport(input);
  if (options.includes('SO_REUSEADDR')) {
    if (['A', 'B', 'C', 'C2', 'D'].includes(era)) return sharedByReuseaddr(input, era as 'A' | 'B' | 'C' | 'C2' | 'D');
    if (era === 'F' && input.autobindReuse) return sharedByAutobind(input);
  }
  if (any) {
    return row(input, {
      factors: ['P'],
      elsewhere: input.heldElsewhere,
      fails: 'bind:EADDRINUSE',
      rule: `bind() to the ${input.family === 4 ? '0.0.0.0' : '::'} address conflicts with every socket on the port, so neither addresses nor destinations count`,
      source: IN_BIND,
    });
  }
  if (era === 'A') {
    return row(input, {
      factors: ['P'],
      elsewhere: input.heldElsewhere,
      fails: 'bind:EADDRINUSE',
      rule: 'before 3.3 bind() passes over every port that any socket has, on any address, so all addresses share one pool',
      source: IN_OLD_BIND,
    });
  }
  const unless = era === 'F' && options.includes('SO_REUSEADDR') ? 'without ip_autobind_reuse=1' : 'on this kernel';
  const idle = options.length > 0 ? `, and ${options.join(' and ')} changes nothing ${unless}` : '';
  return row(input, {
    factors: ['P', 'S'],
    fails: 'bind:EADDRINUSE',
    rule: `bind() picks the port before the destination is known, so each address has P ports in all${idle}`,
    source: era === 'E' || era === 'F' ? IN_BIND : IN_OLD_BIND,
    takesOver: forgetsTimeWait(input.kernel) ? 'yes' : 'no',
  });
}

/** A vendor's kernel of era E on which ip_autobind_reuse is set has that sysctl, and so the code behind it. */
export function eraOf({ kernel, autobindReuse }: Pick<PredictInput, 'kernel' | 'autobindReuse'>): BindEra {
  const era = bindEra(kernel);
  return era === 'E' && autobindReuse && kernel.enterprise ? 'F' : era;
}

/** Before 4.11 a used-up search ended in sharing a port; with one destination that is where connect() begins to fail. */
function sharedByReuseaddr(input: PredictInput, era: 'A' | 'B' | 'C' | 'C2' | 'D'): Ceiling {
  const divisor = { A: 1, B: 1, C: 1, C2: 2, D: 4 }[era];
  const part = {
    A: 'all of the range',
    B: 'all of the range',
    C: 'all of the range',
    C2: 'all of its lower half',
    D: 'all of the odd ports of its lower half',
  }[era];
  // Which of the odd and low ports are reserved, or held by others on all addresses, is not known.
  const whole =
    input.reserved + input.heldHere === 0 && !(input.heldElsewhere > 0 && strategyOf(input.strategy).address === 'any');
  const exact = era !== 'A' && era !== 'B' && input.destinations === 1 && (divisor === 1 || whole);
  const any = strategyOf(input.strategy).address === 'any';
  const shared: Omit<Row, 'rule'> = {
    factors: any ? ['P', 'D'] : ['P', 'S', 'D'],
    elsewhere: any || era === 'A' ? input.heldElsewhere : 0,
    divisor,
    fails: 'connect:EADDRNOTAVAIL',
    source: IN_OLD_BIND,
    takesOver: 'random',
  };
  if (exact) {
    return row(input, {
      ...shared,
      rule: `with SO_REUSEADDR bind() shares ports once ${part} is taken, and with one destination a shared port is of no use`,
    });
  }
  const when = era === 'B' ? 'from the first collision on' : `once ${part} is taken`;
  return row(input, {
    ...shared,
    concurrent: null,
    rule: `with SO_REUSEADDR bind() shares ports at random ${when}, so some connect() calls fail early and there is no closed form`,
  });
}

/** 3.9 to 4.10: bind_conflict() finds none between SO_REUSEPORT sockets of one user, so a port is shared when it is met. */
function sharedByReuseport(input: PredictInput): Ceiling {
  return row(input, {
    factors: ['P', 'S', 'D'],
    concurrent: null,
    fails: 'connect:EADDRNOTAVAIL',
    rule: 'before 4.11 bind() shares ports at random between SO_REUSEPORT sockets of one user from the first collision on, so there is no closed form',
    source: IN_OLD_BIND,
    takesOver: 'random',
  });
}

/**
 * From 5.7 with ip_autobind_reuse=1: the second search takes the first port that it meets, which as a rule is odd and in the lower
 * half, so that only a quarter of the ports is ever shared.
 */
function sharedByAutobind(input: PredictInput): Ceiling {
  const any = strategyOf(input.strategy).address === 'any';
  const shared = {
    elsewhere: any ? input.heldElsewhere : 0,
    fails: 'connect:EADDRNOTAVAIL',
    source: `${IN_BIND} (4b01a9674231)`,
    takesOver: 'random',
  } as const;
  if (input.destinations === 1) {
    return row(input, {
      ...shared,
      factors: any ? ['P'] : ['P', 'S'],
      rule: 'with ip_autobind_reuse=1 bind() shares ports once all are used, and with one destination a shared port is of no use',
    });
  }
  const again = sharedPorts(input);
  const ports = Math.max(0, usablePorts(input) - input.heldHere - shared.elsewhere);
  const [sources, more] = [any ? 1 : input.addresses, input.destinations - 1];
  const most = sources * (ports + again * more);
  const symbol = again === Math.floor(ports / 4) ? '⌊P/4⌋' : 'Q';
  return row(input, {
    ...shared,
    factors: any ? ['P'] : ['P', 'S'],
    concurrent: null,
    most,
    formula: any
      ? `at most P + ${symbol}·(D−1) = ${ports} + ${again} · ${more} = ${most}`
      : `at most S·(P + ${symbol}·(D−1)) = ${sources} · (${ports} + ${again} · ${more}) = ${most}`,
    rule: 'with ip_autobind_reuse=1 bind() shares the ports that it searches first, as a rule a quarter, at random once all are used, so some connect() calls fail before the ceiling is reached and there is no closed form',
  });
}
