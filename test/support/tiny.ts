/**
 * Small experiments with exact outcomes, for tests of the whole loop: two addresses with 20 ports each, bound before they are
 * connected, have room for 40 sockets; the wider range has room for all 100 attempts.
 */

export interface TinyProfile {
  /** Milliseconds of load in a run; the attempts stay 100. */
  readonly loadMs?: number;
  readonly repeat?: number;
  /** Lines added at the end. */
  readonly more?: string;
}

export const TINY_ATTEMPTS = 100;
export const TINY_ARMS = ['baseline', 'wider-range', 'fin-timeout'] as const;

/** Outcomes of every run, by arm. */
export const TINY_OUTCOMES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  baseline: { ok: 40, 'bind:EADDRINUSE': 60 },
  'wider-range': { ok: 100 },
  'fin-timeout': { ok: 40, 'bind:EADDRINUSE': 60 },
};

export function tinyProfile({ loadMs = 100, repeat = 2, more = '' }: TinyProfile = {}): string {
  return `name: tiny
description: Two addresses with 20 ports each
addresses: { cidr: 10.50.0.0/24, count: 2 }
load:
  strategy: bind
  arrival: { shape: constant, rate: ${TINY_ATTEMPTS / (loadMs / 1000)}/s, duration: ${loadMs}ms }
  # A test machine is busy with other tests. The counts do not depend on how late an attempt starts.
  lagBudget: 10s
sysctls: { net.ipv4.ip_local_port_range: 40000 40019 }
variants:
  - { name: wider-range, sysctls: { net.ipv4.ip_local_port_range: 40000 40199 } }
  - { name: fin-timeout, sysctls: { net.ipv4.tcp_fin_timeout: 5 } }
repeat: ${repeat}
warmup: 0
${more}`;
}
