/**
 * One line that is right for each key of a profile, for messages that say what to write. Keys of a variant are looked up
 * without `variants[]`, as they have the same form at the top.
 */
const EXAMPLES: Record<string, string> = {
  name: 'name: my-experiment',
  'variants[].name': 'name: wider-range',
  description: 'description: what it is for',
  lab: 'lab: { kind: netns }',
  'lab.kind': 'kind: netns',
  allowHostChanges: 'allowHostChanges: true',
  allow: 'allow: ["10.20.0.10:3128"]',
  'allow[]': '- "10.20.0.10:3128"',
  subject: 'subject: { kind: direct }',
  'subject.kind': 'kind: direct',
  addresses: 'addresses: 10.50.0.0/24',
  'variants[].addresses': 'addresses: { count: 100 }',
  'addresses.cidr': 'cidr: 10.50.0.0/24',
  'addresses.range': 'range: 10.50.0.1-10.50.0.50',
  'addresses.list': 'list: [10.50.0.1, 10.50.0.7]',
  'addresses.list[]': '- 10.50.0.1',
  'addresses.count': 'count: 50',
  'addresses.pick': 'pick: round-robin',
  destinations: 'destinations: { addresses: 1, ports: 4 }',
  'destinations.addresses': 'addresses: 1',
  'destinations.ports': 'ports: 4',
  'destinations.targets': 'targets: ["10.20.0.10:3128"]',
  'destinations.targets[]': '- "10.20.0.10:3128"',
  load: 'load: { arrival: { shape: constant, rate: 2000/s, duration: 10s } }',
  'variants[].load': 'load: { strategy: bind-no-port }',
  'load.workers': 'workers: 1',
  'load.strategy': 'strategy: bind',
  'load.arrival': 'arrival: { shape: constant, rate: 2000/s, duration: 10s }',
  'load.arrival.shape': 'shape: constant',
  'load.arrival.rate': 'rate: 2000/s',
  'load.arrival.from': 'from: 100/s',
  'load.arrival.to': 'to: 2000/s',
  'load.arrival.rates': 'rates: [500/s, 1000/s, 2000/s]',
  'load.arrival.rates[]': '- 2000/s',
  'load.arrival.each': 'each: 5s',
  'load.arrival.duration': 'duration: 10s',
  'load.arrival.attempts': 'attempts: 1000',
  'load.arrival.failures': 'failures: 20',
  'load.arrival.inFlight': 'inFlight: 32',
  'load.arrival.waves': 'waves: 2',
  'load.arrival.pause': 'pause: 1500ms',
  'load.arrival.connections': 'connections: 500',
  'load.close': 'close: client',
  'load.hold': 'hold: 250ms',
  'load.timeout': 'timeout: 5s',
  'load.exchange': 'exchange: { request: 64, response: 256 }',
  'load.exchange.request': 'request: 64',
  'load.exchange.response': 'response: 256',
  'load.sink': 'sink: accept',
  'load.maxInFlight': 'maxInFlight: 10000',
  'load.ports': 'ports: 20000-29999',
  'load.lagBudget': 'lagBudget: 10ms',
  sysctls: 'sysctls: { net.ipv4.tcp_tw_reuse: 1 }',
  variants: 'variants: [{ name: no-port, load: { strategy: bind-no-port } }]',
  'variants[]': '- { name: no-port, load: { strategy: bind-no-port } }',
  repeat: 'repeat: 10',
  warmup: 'warmup: 1',
  seed: 'seed: 1',
  goal: 'goal: failures.share',
  guardrails: 'guardrails: [latency.total.p99]',
  'guardrails[]': '- latency.total.p99',
  thresholds: 'thresholds: [{ metric: failures.share, max: 0 }]',
  'thresholds[]': '- { metric: failures.share, max: 0 }',
  'thresholds[].metric': 'metric: failures.share',
  'thresholds[].max': 'max: 5ms',
  'thresholds[].min': 'min: 0.9',
  'thresholds[].variant': 'variant: wider-range',
};

/**
 * A right line for the key at a path.
 * @returns undefined for keys that a profile does not have
 */
export function exampleOf(path: readonly (string | number)[]): string | undefined {
  const pattern = path.map((part) => (typeof part === 'number' ? '[]' : `.${part}`)).join('');
  const key = pattern.replace(/^\./, '');
  return EXAMPLES[key] ?? EXAMPLES[key.replace(/^variants\[\]\./, '')];
}
