/**
 * How a prediction is known: measured on that kernel, read in its source, simulated, or assumed because nobody looked. Pure.
 */
import { type StrategyName, strategyOf } from '../domain/strategy.js';
import type { Prediction } from '../results/schema.js';
import { type BindEra, bindEra, hasStrategy, isEraUncertain } from './bind-era.js';
import { eraOf } from './ceiling.js';
import type { Ceiling } from './ceiling-row.js';
import { atLeast, type KernelVersion, kernelSeries, parseKernelVersion } from './kernel-version.js';
import type { PredictInput } from './predict-input.js';

type Evidence = NonNullable<Prediction['known']>;

const OLD = ['3.2.71', '3.3.8'] as const;
/** The kernels on which every row of the oracle is tested: those of the guests, and that of the machine on which it was measured. */
const TESTED = ['5.10.46', '6.1.176', '6.12.101', '6.18.44', '7.2.7'] as const;

/** Releases on which a strategy's counts were measured, ports held and in TIME_WAIT (test/lab/vm/oracle-kernels.test.ts). */
const MEASURED: Record<StrategyName, readonly string[]> = {
  connect: [...OLD, ...TESTED],
  bind: [...OLD, ...TESTED],
  'bind-reuseaddr': [...OLD, ...TESTED],
  'bind-reuseport': TESTED,
  'bind-no-port': TESTED,
  'bind-no-port-reuseaddr': TESTED,
  'bind-explicit-port': [...OLD, ...TESTED],
  'bind-explicit-port-reuseport': TESTED,
  'bind-explicit-port-exclusive': TESTED,
  'bind-any': TESTED,
  'bind-any-reuseaddr': TESTED,
  // 5.10 does not have it.
  'local-port-range': TESTED.slice(1),
  // Of UDP alone.
  sendto: [],
};

/** Mainline releases of which net/ipv4/inet_connection_sock.c and inet_hashtables.c were read. */
const READ: readonly string[] = (
  '2.6.32.65 3.2.71 3.3.8 3.4.4 3.5 3.10.65 3.11 3.13 4.0.5 4.2.8 4.4.155 4.5 4.6.2 4.9.154 4.10.17 4.11 4.12 4.14 4.15 4.18 ' +
  '4.19 5.7.14 5.15.135 6.1.20 6.5 6.6.9 6.8 6.12 6.13.7 6.14 6.18.2 7.1.3'
).split(' ');

/** Releases whose random outcomes the simulator was held against. */
const SIMULATED_AGAINST = [...OLD, ...TESTED];

/** How the prediction of a ceiling is known, and on which kernels. */
export function evidenceFor(input: PredictInput, top: Ceiling): Evidence {
  const { kernel, strategy } = input;
  if (input.datagram !== null) return ofDatagrams(input);
  const has = hasStrategy(kernel, strategy);
  if (has === 'unknown') {
    return {
      how: 'assumed',
      on: [],
      why: 'the vendor may have brought the option to this kernel; only the kernel itself can tell',
    };
  }
  if (has === 'no') return { how: 'read', on: [], why: 'the release that brought the option is known' };
  if (top.concurrent === null && top.takesOver === 'random') {
    const like = SIMULATED_AGAINST.filter((release) => eraAt(release) === eraOf(input));
    return {
      how: 'simulated',
      on: like,
      why:
        like.length > 0
          ? `the simulation of this kernel's search agrees with what was measured on ${list(like)}`
          : 'the simulation follows the source of this era, on which nothing was measured',
    };
  }
  if (isEraUncertain(kernel) && strategyOf(strategy).options.includes('SO_REUSEADDR')) {
    return {
      how: 'assumed',
      on: [],
      why: 'RHEL 7 halved the ports of SO_REUSEADDR in a build after 229 and not after 862; whether this one has it is not known, and the lower ceiling is taken',
    };
  }
  if (kernel.enterprise) return ofVendor(kernel, kernel.enterprise.release);
  return ofMainline(input);
}

/** Kernels on which the counts of UDP sockets were measured (test/lab/datagram-oracle.test.ts, of IPv4 also test/lab/vm/datagram-kernels.test.ts). */
const DATAGRAMS_MEASURED: Readonly<Record<4 | 6, readonly string[]>> = { 4: TESTED, 6: ['6.18.44'] };

function ofDatagrams({ kernel, family }: PredictInput): Evidence {
  const measured = DATAGRAMS_MEASURED[family];
  const same = measured.filter((release) => kernelSeries(parseKernelVersion(release)) === kernelSeries(kernel));
  if (same.length > 0) return { how: 'measured', on: same, why: `measured on ${list(same)}` };
  return {
    how: 'assumed',
    on: [],
    why: `UDP ports were measured on ${list(measured)}, and ${kernelSeries(kernel)} is taken to be like it`,
  };
}

function ofVendor(kernel: KernelVersion, release: number): Evidence {
  if (release === 6 || release === 7) {
    return {
      how: 'read',
      on: release === 6 ? ['2.6.32-642.6.2.el6'] : ['3.10.0-229.7.2.el7', '3.10.0-1160.el7'],
      why: "from the vendor's source and advisories, and from public reports, since it changed bind() within one kernel number",
    };
  }
  return {
    how: 'assumed',
    on: [],
    why: `this vendor's ${kernelSeries(kernel)} is taken for the kernel that it began with, whatever was brought to it since`,
  };
}

function ofMainline(input: PredictInput): Evidence {
  const { kernel, strategy } = input;
  const alike = MEASURED[strategy].filter((release) => sameRule(input, release));
  const same = alike.filter((release) => kernelSeries(parseKernelVersion(release)) === kernelSeries(kernel));
  if (same.length > 0) return { how: 'measured', on: same, why: `measured on ${list(same)}` };
  const also = alike.length > 0 ? `; measured on ${list(alike)}, where the same rule holds` : '';
  const read = READ.filter((release) => sameRule(input, release));
  const here = read.filter((release) => kernelSeries(parseKernelVersion(release)) === kernelSeries(kernel));
  if (here.length > 0) return { how: 'read', on: here, why: `read in the source of ${list(here)}${also}` };
  const before = read.filter((release) => atLeast(kernel, release)).at(-1);
  const after = read.find((release) => !atLeast(kernel, release));
  if (before !== undefined && after !== undefined)
    return { how: 'read', on: [before, after], why: `the same in the sources of ${before} and ${after}${also}` };
  const nearest = before ?? after;
  const side = before === undefined ? 'older' : 'newer';
  return {
    how: 'assumed',
    on: [],
    why: `${kernelSeries(kernel)} is ${side} than what was read${nearest === undefined ? '' : ` (${nearest})`}, and is taken to be like it${also}`,
  };
}

/** connect() and named ports have followed one rule all along; bind() has eras. */
function sameRule({ strategy, kernel }: PredictInput, release: string): boolean {
  if (strategyOf(strategy).port !== 'bind') return true;
  return (
    eraAt(release) === bindEra(kernel) || (plainBind(strategy) && bindEra(kernel) !== 'A' && eraAt(release) !== 'A')
  );
}

/** Without options bind(address, 0) has had two rules only: that of era A, and the other. */
function plainBind(strategy: StrategyName): boolean {
  return strategyOf(strategy).options.length === 0;
}

function eraAt(release: string): BindEra {
  return bindEra(parseKernelVersion(release));
}

function list(releases: readonly string[]): string {
  return releases.length < 2 ? (releases[0] ?? '') : `${releases.slice(0, -1).join(', ')} and ${releases.at(-1)}`;
}
