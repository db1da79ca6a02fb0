// needs: squid, haproxy, nginx, libnginx-mod-stream, dante-server, tinyproxy-bin, microsocks, tor
/**
 * Who closes first, and what is kept: what every subject says of itself in every mode and protocol, against the TIME_WAIT that it is left
 * with and the connections that its origin has seen.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { endingOf } from '../../src/capacity/predict-input.js';
import type { Protocol } from '../../src/domain/protocol.js';
import type { Arm, LoadPlan } from '../../src/plan/plan.js';
import { PROXY_KINDS, type ProxyKind, type ProxySettings, proxySubjectOf } from '../../src/subjects/index.js';
import { labArm, measure } from '../support/lab.js';

const ATTEMPTS = 12;
type Close = LoadPlan['close'];

/** Every mode of a kind, with connections that are kept and without. */
function settingsOf(kind: ProxyKind): ProxySettings[] {
  const defaults: ProxySettings = proxySubjectOf(kind).defaults;
  const modes = 'mode' in defaults ? (['tcp', 'http'] as const).map((mode) => ({ ...defaults, mode })) : [defaults];
  return modes.flatMap((settings): ProxySettings[] =>
    'persistent' in settings && !('mode' in settings && settings.mode === 'tcp')
      ? [settings, { ...settings, persistent: true }]
      : [settings],
  );
}

const isPersistent = (settings: ProxySettings) => 'persistent' in settings && settings.persistent;

/** One after the other, so that what is kept is one connection. */
function armOf(protocol: Protocol, close: Close, more: Partial<LoadPlan> = {}): Arm {
  const exchanges = protocol !== 'get' && more.engine !== 'http';
  return labArm({
    sysctls: { 'net.ipv4.ip_local_port_range': '40000 40063' },
    load: {
      protocol,
      close,
      holdMs: 0,
      drain: close === 'client' && more.engine !== 'http',
      exchange: exchanges ? { request: 8, response: 8 } : null,
      timeoutMs: 60_000,
      lagBudgetMs: 60_000,
      body: exchanges ? 0 : 600,
      arrival: { shape: 'fill', attempts: ATTEMPTS, failures: null, inFlight: 1, waves: 1, pauseMs: 0 },
      ...more,
    },
  });
}

function armsOf(settings: ProxySettings): Arm[] {
  return proxySubjectOf(settings.kind)
    .protocols(settings)
    .filter((protocol) => !isPersistent(settings) || protocol === 'get')
    .flatMap((protocol, i) => [
      armOf(protocol, 'client'),
      armOf(protocol, 'reset'),
      // The same for all that a proxy is asked; and a client that keeps its connections keeps those of a tunnel.
      ...(i > 0 ? [] : [armOf(protocol, 'server')]),
      ...(i > 0 || protocol === 'tcp' ? [] : [armOf(protocol, 'client', { engine: 'http', keepAlive: true })]),
    ])
    .map((arm) => ({ ...arm, proxy: settings }));
}

function titleOf({ proxy, load }: Arm): string {
  const { kind = 'direct', mode, persistent } = (proxy ?? {}) as { kind?: string; mode?: string; persistent?: boolean };
  const parts = [kind, mode && `mode ${mode}`, persistent && 'persistent', load.protocol, `close: ${load.close}`];
  return [...parts, load.engine === 'http' && 'HTTP engine', load.keepAlive && 'keepAlive'].filter(Boolean).join(', ');
}

async function check(arm: Arm): Promise<void> {
  const { outcomes, ports, origin } = await measure(arm);
  assert.deepEqual(outcomes, { ok: ATTEMPTS });
  const states = ports.finalStates ?? {};
  const ending = endingOf(arm);
  const found = { timeWait: states.TIME_WAIT ?? 0, accepted: origin?.accepted };
  // The last of them may still be on its way there.
  if (ending === 'client') assert.ok(found.timeWait >= ATTEMPTS - 1, JSON.stringify({ found, states }));
  else assert.deepEqual(found, { timeWait: 0, accepted: ending === 'kept' ? 1 : ATTEMPTS }, `said ${ending}`);
}

const http = { engine: 'http' } as const;
const DIRECT = [
  armOf('tcp', 'client'),
  armOf('tcp', 'reset'),
  armOf('tcp', 'server'),
  armOf('get', 'client', http),
  armOf('get', 'reset', http),
  armOf('get', 'server', http),
  armOf('get', 'client', { ...http, keepAlive: true }),
];

for (const [kind, arms] of [
  ['direct', DIRECT] as const,
  // Any program knows by itself what it keeps and who closes: nothing is said of it beforehand.
  ...PROXY_KINDS.map((kind) => [kind, settingsOf(kind).flatMap(armsOf)] as const).filter(([, arms]) =>
    arms.some((arm) => endingOf(arm) !== 'unknown'),
  ),
])
  describe(kind, { concurrency: true }, () => {
    for (const arm of arms) it(titleOf(arm), () => check(arm));
  });
