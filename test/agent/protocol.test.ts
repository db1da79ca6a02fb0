import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type AgentEvent,
  type Check,
  type Command,
  commandSchema,
  eventSchema,
  PHASES,
  PROTOCOL_VERSION,
} from '../../src/agent/protocol.js';
import { parseMessage } from '../../src/machine/ndjson.js';
import type { Second } from '../../src/results/schema.js';
import { makeMeasurement } from '../support/fake-lab.js';
import { makeArm, makeEnvironment } from '../support/runs.js';

const COMMANDS: Command[] = [
  {
    type: 'check',
    sysctls: [['net.ipv4.ip_local_port_range', '40000 40099']],
    strategies: ['bind', 'local-port-range'],
    addresses: ['10.50.0.1'],
    clocks: true,
  },
  {
    type: 'run',
    spec: { arm: makeArm('wider-range'), seed: 4_294_967_295, network: 'veth', ownNamespace: true, sampleMs: 100 },
  },
  { type: 'stop' },
  { type: 'restore' },
  { type: 'renew', ownKernel: true },
  { type: 'go', atMicros: 81_234_567.5 },
];

const CHECK: Check = {
  sysctls: [
    { name: 'net.ipv4.tcp_tw_reuse', value: '1', readBack: '1', errno: null },
    { name: 'net.ipv4.no_such_key', value: '1', readBack: null, errno: 'ENOENT' },
  ],
  strategies: [{ name: 'local-port-range', missing: 'IP_LOCAL_PORT_RANGE: ENOPROTOOPT' }],
  family: { available: false, errno: 'EAFNOSUPPORT' },
  veth: { available: true, errno: null },
  notLocal: ['192.0.2.1'],
  clocksMissing: 'TCP_REPAIR: EPERM',
  internetMissing: 'nf_tables failed with ENOENT',
};

const SECOND: Second = {
  t: 1.0003,
  attempts: 100,
  outcomes: { ok: 60, 'bind:EADDRINUSE': 40 },
  states: { TIME_WAIT: 60 },
  portsInUse: 60,
  portsPerAddress: [30, 30],
  counters: { 'TcpExt.TW': 60 },
  cpu: { client: 0.2, origin: null, machine: null },
  load1: null,
  memory: 80_000_000,
};

const EVENTS: AgentEvent[] = [
  { type: 'hello', protocol: PROTOCOL_VERSION, pid: 12, environment: makeEnvironment() },
  { type: 'checked', check: CHECK },
  { type: 'restored', restored: { 'net.ipv4.tcp_tw_reuse': '2' }, failed: ['net.ipv4.x = 1 (ENOENT)'] },
  ...PHASES.map((phase): AgentEvent => ({ type: 'phase', phase })),
  {
    type: 'entry',
    entry: { command: ['strace', '--', 'sh'], env: { SSL_CERT_FILE: '/dev/shm/proxy/ca.pem', http_proxy: null } },
    namespace: '/proc/812/ns/net',
  },
  { type: 'ready' },
  { type: 'second', second: SECOND },
  { type: 'result', measurement: makeMeasurement({ outcomes: { ok: 1, shed: 2 } }) },
  { type: 'failed', message: 'the kernel refused net.ipv4.tcp_tw_reuse = 7 (EINVAL)' },
];

const overTheWire = <T>(value: T): string => JSON.stringify(value);

describe('the protocol', () => {
  it('carries every command and every event unchanged', () => {
    for (const command of COMMANDS) assert.deepEqual(parseMessage(overTheWire(command), commandSchema), command);
    for (const event of EVENTS) assert.deepEqual(parseMessage(overTheWire(event), eventSchema), event);
  });

  it('covers all types that there are', () => {
    const types = (options: readonly { shape: { type: { value: string } } }[]) =>
      options.map(({ shape }) => shape.type.value).sort();
    assert.deepEqual(types(commandSchema.options), [...new Set(COMMANDS.map(({ type }) => type))].sort());
    assert.deepEqual(types(eventSchema.options), [...new Set(EVENTS.map(({ type }) => type))].sort());
  });

  it('refuses a command or an event without one of its keys, or with one of another type', () => {
    for (const [schema, messages] of [
      [commandSchema, COMMANDS],
      [eventSchema, EVENTS],
    ] as const) {
      for (const message of messages as readonly Record<string, unknown>[]) {
        for (const key of Object.keys(message)) {
          const { [key]: _, ...without } = message;
          assert.equal(schema.safeParse(without).success, false, `${message.type} without ${key}`);
          assert.equal(schema.safeParse({ ...message, [key]: null }).success, false, `${message.type}, ${key}: null`);
        }
      }
    }
  });

  it('refuses a strategy, a network and a phase that it does not know', () => {
    const [check, run] = COMMANDS as [Extract<Command, { type: 'check' }>, Extract<Command, { type: 'run' }>];
    assert.equal(commandSchema.safeParse({ ...check, strategies: ['magic'] }).success, false);
    assert.equal(commandSchema.safeParse({ ...check, sysctls: [['net.ipv4.tcp_tw_reuse']] }).success, false);
    assert.equal(commandSchema.safeParse({ ...run, spec: { ...run.spec, network: 'bridge' } }).success, false);
    assert.equal(eventSchema.safeParse({ type: 'phase', phase: 'lunch' }).success, false);
  });

  it('refuses a number that JSON cannot carry', () => {
    const measurement = makeMeasurement({}, { loadMs: Number.NaN });
    assert.throws(() => parseMessage(overTheWire({ type: 'result', measurement }), eventSchema), /loadMs/);
  });
});
