import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Check, Command } from '../../src/agent/protocol.js';
import type { StrategyName } from '../../src/domain/strategy.js';
import { rehearse } from '../../src/experiment/rehearsal.js';
import { AgentDied, LabError } from '../../src/lab/lab.js';
import { ProtocolError } from '../../src/machine/ndjson.js';
import type { Arm, Destinations, Experiment } from '../../src/plan/plan.js';
import { program } from '../../src/subjects/program/program.js';
import { fakeLab, type Said, type Script } from '../support/fake-lab.js';
import { placeOf } from '../support/findings.js';
import { HAPROXY, NGINX, SQUID } from '../support/proxies.js';
import { makeArm, makeExperiment } from '../support/runs.js';

const REUSE = 'net.ipv4.tcp_tw_reuse';
const RANGE = 'net.ipv4.ip_local_port_range';

interface ArmNumbers {
  sysctls?: Record<string, string>;
  strategy?: StrategyName;
  addresses?: string[];
  destinations?: Destinations;
  proxy?: Arm['proxy'];
  roles?: Arm['roles'];
}

/** The first arm is the baseline. */
function experimentOf(arms: readonly ArmNumbers[]): Experiment {
  return {
    ...makeExperiment(),
    arms: arms.map(({ sysctls = {}, strategy = 'bind', ...more }, i): Arm => {
      const arm = makeArm(i === 0 ? 'baseline' : `variant-${i}`);
      return { ...arm, sysctls, load: { ...arm.load, strategy }, ...more };
    }),
  };
}

type CheckCommand = Extract<Command, { type: 'check' }>;

/** What an agent answers on a kernel that has everything. */
function allWell(command: CheckCommand): Check {
  return {
    sysctls: command.sysctls.map(([name, value]) => ({ name, value, readBack: value, errno: null })),
    strategies: command.strategies.map((name) => ({ name, missing: null })),
    family: { available: true, errno: null },
    veth: { available: true, errno: null },
    notLocal: [],
    clocksMissing: null,
  };
}

interface Machine {
  kind?: 'netns' | 'vm' | 'vagrant' | 'host';
  kernel?: string;
  check?: (command: CheckCommand) => Partial<Check>;
}

async function rehearsed(experiment: Experiment, { kind = 'netns', kernel = '6.18.1', check }: Machine = {}) {
  const script: Script = {
    environment: { kernel },
    answers: (command): Said[] => {
      assert.equal(command.type, 'check');
      if (command.type !== 'check') return [];
      return [{ type: 'checked', check: { ...allWell(command), ...check?.(command) } }];
    },
  };
  const lab = fakeLab(() => script, kind);
  const rehearsal = await rehearse(experiment, lab);
  const [session] = lab.sessions;
  assert.deepEqual([lab.purposes, session!.closed], [['check'], true]);
  assert.equal(session!.sent.length, 1, 'one question, no load');
  return {
    ...rehearsal,
    /** `path: message` of each. */
    obstacles: rehearsal.findings.map((finding) => `${placeOf(finding)}: ${finding.message}`),
    asked: session!.sent[0] as CheckCommand,
  };
}

const refuseSysctl = (errno: string) => (command: CheckCommand) => ({
  sysctls: command.sysctls.map(([name, value]) => ({ name, value, readBack: null, errno })),
  roleSysctls: command.roleSysctls?.map(([name, value]) => ({ name, value, readBack: null, errno })),
});

describe('a fill that waits for failures which never come', () => {
  const arrival = { shape: 'fill', attempts: null, failures: 1, inFlight: 32, waves: 1, pauseMs: 0 } as const;
  const base = experimentOf([{ sysctls: { [RANGE]: '40000 40099' } }, { sysctls: { [RANGE]: '40000 40199' } }]);
  const closing = (close: 'client' | 'reset') => ({
    ...base,
    arms: base.arms.map((arm) => ({ ...arm, load: { ...arm.load, arrival, close, holdMs: 0 } })),
  });

  it('is refused before it starts, once, with the reason and what to write', async () => {
    const { obstacles } = await rehearsed(closing('reset'));
    assert.deepEqual(obstacles.length, 2, 'of each arm, as their ports differ');
    assert.match(
      obstacles[0]!,
      /load\.arrival: this fill ends at failures, but no attempt ever fails: a close with RST/,
    );
    assert.match(obstacles[0]!, /32 of 100 ports are ever in use\. Add a number of attempts \("attempts: 1000"\) or/);
    assert.deepEqual((await rehearsed(closing('client'))).obstacles, []);
  });
});

describe('the rehearsal of what can run', () => {
  const experiment = experimentOf([
    { sysctls: { [RANGE]: '40000 40099' } },
    { sysctls: { [RANGE]: '40000 40099', [REUSE]: '1' }, strategy: 'bind-no-port' },
    { sysctls: { [RANGE]: '1024 65535' } },
  ]);

  it('finds nothing, and says where the runs will be', async () => {
    const { findings, warnings, network, environment, kernel } = await rehearsed(experiment);
    assert.deepEqual([findings, warnings, network], [[], [], 'veth']);
    assert.equal(environment.lab, 'network namespace, client and origin joined by veth');
    assert.deepEqual([environment.kernel, kernel.major, kernel.minor], ['6.18.1', 6, 18]);
  });

  it('tries every value of every sysctl, every strategy, and one address of the family, each once', async () => {
    const { asked } = await rehearsed(experiment);
    assert.deepEqual(asked, {
      type: 'check',
      sysctls: [
        [RANGE, '40000 40099'],
        [REUSE, '1'],
        [RANGE, '1024 65535'],
      ],
      strategies: ['bind', 'bind-no-port'],
      addresses: ['10.50.0.1'],
      clocks: false,
    });
  });

  it('looks for the program of each proxy once, and says which is missing and where it is named', async () => {
    const squid6 = { ...SQUID, binary: './squid6' };
    const proxied = experimentOf([
      { proxy: SQUID },
      { proxy: squid6, strategy: 'bind' },
      { proxy: { ...squid6, persistent: true } },
    ]);
    const { asked, obstacles, experiment, environment } = await rehearsed(proxied, {
      check: () => ({
        programs: [
          { binary: 'squid', version: '5.7', problem: null },
          { binary: './squid6', version: '6.13', problem: null },
        ],
      }),
    });
    assert.deepEqual(asked.proxies, [
      { kind: 'squid', binary: 'squid' },
      { kind: 'squid', binary: './squid6' },
    ]);
    assert.deepEqual(obstacles, []);
    assert.equal(environment.lab, 'network namespace, client, proxy and origin joined by veth');
    assert.deepEqual(
      experiment.arms.map(({ load }) => load.strategy),
      ['bind', 'bind-no-port', 'bind-no-port'],
      'the version decides about the strategy',
    );
    const missing = await rehearsed(proxied, {
      check: () => ({
        programs: [
          { binary: 'squid', version: null, problem: 'program squid not found' },
          { binary: './squid6', version: null, problem: 'program ./squid6 not found' },
        ],
        veth: { available: false, errno: 'EOPNOTSUPP' },
      }),
    });
    assert.deepEqual(missing.obstacles, [
      'subject.binary: program squid not found',
      'variant-1.subject.binary: program ./squid6 not found',
      'subject: this kernel has no veth devices (EOPNOTSUPP), and a proxy needs a namespace of its own: load the module (modprobe veth), or use subject: { kind: direct }',
    ]);
  });

  it('takes a proxy whose kernel refuses its option for one that goes on without, and a load of our own for one that cannot', async () => {
    const refuses = (command: CheckCommand) => ({
      strategies: command.strategies.map((name) => ({
        name,
        missing: name.startsWith('bind-no-port') ? 'IP_BIND_ADDRESS_NO_PORT: ENOPROTOOPT' : null,
      })),
      programs: (command.proxies ?? []).map(({ binary }) => ({ binary, version: '6.13', problem: null })),
    });
    const proxied = experimentOf([
      { proxy: HAPROXY, strategy: 'bind-no-port-reuseaddr' },
      { proxy: NGINX, strategy: 'bind-no-port' },
      // Only its version tells that it has the option.
      { proxy: SQUID },
    ]);
    // A vendor's kernel, of which nobody knows beforehand.
    const { obstacles, experiment } = await rehearsed(proxied, { kernel: '3.10.0-1160.el7.x86_64', check: refuses });
    assert.deepEqual(obstacles, []);
    assert.deepEqual(
      experiment.arms.map(({ load }) => load.strategy),
      ['bind-reuseaddr', 'bind', 'bind'],
    );
    const own = await rehearsed(experimentOf([{ strategy: 'bind-no-port' }]), { check: refuses });
    assert.match(
      own.obstacles.join(),
      /does not have the strategy bind-no-port \(IP_BIND_ADDRESS_NO_PORT: ENOPROTOOPT\)/,
    );
  });

  it('tries the sysctls of all roles', async () => {
    const roles = { client: { [REUSE]: '1' }, origin: { 'net.ipv4.tcp_fin_timeout': '5' } };
    const proxied = experimentOf([{ proxy: SQUID }, { proxy: SQUID, sysctls: { [REUSE]: '0' }, roles }]);
    const { asked, obstacles } = await rehearsed(proxied, { check: refuseSysctl('EINVAL') });
    assert.deepEqual(asked.sysctls, [
      [REUSE, '0'],
      [REUSE, '1'],
    ]);
    assert.deepEqual(asked.roleSysctls, [['net.ipv4.tcp_fin_timeout', '5']], 'where the origin is');
    assert.deepEqual(
      obstacles.map((obstacle) => obstacle.split(': ')[0]),
      [
        `variant-1.sysctls["${REUSE}"]`,
        `variant-1.roles.client.sysctls["${REUSE}"]`,
        'variant-1.roles.origin.sysctls["net.ipv4.tcp_fin_timeout"]',
      ],
    );
  });

  it('says of a role below the lab that it may not set what is one value for the whole kernel', async () => {
    const name = 'net.netfilter.nf_conntrack_max';
    const roles = { client: {}, origin: {}, router: { [name]: '1000' } };
    const { obstacles } = await rehearsed(experimentOf([{}, { roles }]), {
      kind: 'vm',
      check: (command) => ({
        roleSysctls: command.roleSysctls?.map(([name, value]) => ({ name, value, readBack: null, errno: 'EACCES' })),
      }),
    });
    assert.deepEqual(obstacles, [
      `variant-1.roles.router.sysctls["${name}"]: the router has a network namespace of its own, in which ${name} is read-only (EACCES): one value serves the whole kernel; leave it out`,
    ]);
  });

  it('asks the host about every address', async () => {
    const { asked, network, environment } = await rehearsed(
      experimentOf([{ addresses: ['127.0.0.1', '127.0.0.2'] }, { addresses: ['127.0.0.2', '127.0.0.3'] }]),
      { kind: 'host', check: () => ({ veth: { available: false, errno: null } }) },
    );
    assert.deepEqual(asked.addresses, ['127.0.0.1', '127.0.0.2', '127.0.0.3']);
    assert.deepEqual([network, environment.lab], ['shared', 'this host itself']);
  });

  it('without veth, client and origin share a namespace, and the reader is told', async () => {
    const { network, environment, warnings, findings } = await rehearsed(experiment, {
      check: () => ({ veth: { available: false, errno: 'EOPNOTSUPP' } }),
    });
    assert.deepEqual([network, findings], ['shared', []]);
    assert.equal(environment.lab, 'network namespace, client and origin in one');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /no veth devices \(EOPNOTSUPP\), so client and origin share one namespace/);
  });

  it('targets outside the lab are external', async () => {
    const destinations: Destinations = { kind: 'external', targets: [{ address: '10.20.0.10', port: 3128 }] };
    const { network } = await rehearsed(experimentOf([{ destinations }, { destinations }]), { kind: 'host' });
    assert.equal(network, 'external');
  });
});

describe('what is refused by knowledge', () => {
  it('a sysctl that is gone, at its key, with what to use instead', async () => {
    const { findings, obstacles } = await rehearsed(
      experimentOf([{}, { sysctls: { 'net.ipv4.tcp_tw_recycle': '1' } }]),
    );
    assert.deepEqual([findings[0]!.arm, findings[0]!.path], ['variant-1', ['sysctls', 'net.ipv4.tcp_tw_recycle']]);
    assert.equal(findings[0]!.at, 'key');
    assert.match(obstacles[0]!, /tcp_tw_recycle was removed in 4\.12: .*; use net\.ipv4\.tcp_tw_reuse=1/);
    assert.equal(obstacles.length, 1);
  });

  it('a sysctl of the whole machine, in a namespace', async () => {
    const experiment = experimentOf([{ sysctls: { 'vm.swappiness': '10' } }, { sysctls: { 'vm.swappiness': '10' } }]);
    const { obstacles } = await rehearsed(experiment);
    assert.equal(obstacles.length, 1, 'once, although the variant has it too');
    assert.match(obstacles[0]!, /^sysctls\["vm\.swappiness"\]: vm\.swappiness is global/);
    assert.deepEqual((await rehearsed(experiment, { kind: 'host' })).obstacles, []);
  });

  it('the same of another role in a box, where only the agent would put it back', async () => {
    const experiment = experimentOf([{ sysctls: { 'vm.swappiness': '10' } }]);
    assert.deepEqual((await rehearsed(experiment, { kind: 'vagrant' })).obstacles, []);
    const roles = { client: {}, origin: { 'vm.swappiness': '10', 'net.ipv4.tcp_fin_timeout': '5' } };
    const { obstacles } = await rehearsed(experimentOf([{ roles }]), { kind: 'vagrant' });
    assert.equal(obstacles.length, 1);
    assert.match(obstacles[0]!, /^roles\.origin\.sysctls\["vm\.swappiness"\]: vm\.swappiness is global/);
  });

  it('a sysctl that is per namespace only on a newer kernel', async () => {
    const experiment = experimentOf([{}, {}, { sysctls: { [REUSE]: '1' } }]);
    assert.deepEqual((await rehearsed(experiment)).obstacles, []);
    const { obstacles } = await rehearsed(experiment, { kernel: '3.10.0-1160.el7.x86_64' });
    assert.match(obstacles[0]!, /^variant-2\.sysctls\["net\.ipv4\.tcp_tw_reuse"\]: .* is global on 3\.10 /);
  });

  it('a what-if on a kernel that lets nobody else change the sockets of a program', async () => {
    const asked = experimentOf([
      { proxy: SQUID },
      { proxy: { ...SQUID, whatIf: { bind: 'no-port', portRange: { low: 40_000, high: 40_009 } } } },
    ]);
    const said = (what: string, since: string, kernel: string) =>
      `variant-1.subject.whatIf: ${what} needs Linux ${since} or newer; this kernel is ${kernel}. Leave the variant out, or run it on a newer kernel`;
    assert.deepEqual((await rehearsed(asked, { kernel: '5.4.280' })).obstacles, [
      said('whatIf', '5.6', '5.4.280'),
      said('whatIf.portRange', '6.3', '5.4.280'),
    ]);
    assert.deepEqual((await rehearsed(asked, { kernel: '6.1.0-28-amd64' })).obstacles, [
      said('whatIf.portRange', '6.3', '6.1.0-28-amd64'),
    ]);
    assert.deepEqual((await rehearsed(asked)).obstacles, []);
  });

  it('a strategy that is newer than the kernel', async () => {
    const experiment = experimentOf([{}, { strategy: 'local-port-range' }]);
    assert.deepEqual((await rehearsed(experiment, { kernel: '6.3.0' })).obstacles, []);
    assert.deepEqual((await rehearsed(experiment, { kernel: '6.1.0-28-amd64' })).obstacles, [
      'variant-1.load.strategy: the strategy local-port-range needs Linux 6.3 or newer; this kernel is 6.1.0-28-amd64. Leave the variant out, or run it on a newer kernel',
    ]);
    const everywhere = experimentOf([{ strategy: 'local-port-range' }, { strategy: 'local-port-range' }]);
    const { obstacles } = await rehearsed(everywhere, { kernel: '6.1.0' });
    assert.equal(obstacles.length, 1);
    assert.match(obstacles[0]!, /^load\.strategy: /);
  });

  it('is never tried, and neither is anything beside it: a wrong write could reach the host', async () => {
    const { asked, obstacles } = await rehearsed(
      experimentOf([{ sysctls: { [RANGE]: '40000 40099' } }, { sysctls: { [REUSE]: '1', 'vm.swappiness': '10' } }]),
      { check: () => ({ family: { available: false, errno: 'EAFNOSUPPORT' } }) },
    );
    assert.deepEqual(asked.sysctls, []);
    assert.equal(obstacles.length, 1, 'and what the lab says does not add to it');
    assert.match(obstacles[0]!, /vm\.swappiness/);
  });
});

describe('what this machine refuses', () => {
  const refused = (errno: string) =>
    rehearsed(experimentOf([{}, { sysctls: { [REUSE]: '7' } }]), { check: refuseSysctl(errno) });

  it('a sysctl, with a reason for each errno', async () => {
    const at = 'variant-1.sysctls["net.ipv4.tcp_tw_reuse"]: ';
    for (const [errno, message] of [
      ['ENOENT', `this kernel (6.18.1) has no ${REUSE}; leave it out, or load the module that brings it`],
      ['EACCES', `${REUSE} is read-only in this lab (EACCES); leave it out`],
      ['EPERM', `${REUSE} is read-only in this lab (EPERM); leave it out`],
      ['EINVAL', `the kernel does not accept ${REUSE} = 7 (EINVAL); give a value in its range`],
      ['ERANGE', `the kernel does not accept ${REUSE} = 7 (ERANGE); give a value in its range`],
    ] as const) {
      assert.deepEqual((await refused(errno)).obstacles, [at + message]);
    }
  });

  it('every sysctl, where /proc/sys is read-only: that is the lab, and not the profile', async () => {
    await assert.rejects(refused('EROFS'), (error) => {
      assert.ok(error instanceof LabError);
      assert.match(error.explain(), /read-only here.*\nWhat to do: in a container, run it with --privileged/);
      return true;
    });
  });

  it('one value of a sysctl, in the variant that sets it and not in the baseline', async () => {
    const experiment = experimentOf([
      { sysctls: { [REUSE]: '1' } },
      { sysctls: { [REUSE]: '1' } },
      { sysctls: { [REUSE]: '7' } },
    ]);
    const { obstacles } = await rehearsed(experiment, {
      check: (command) => ({
        sysctls: allWell(command).sysctls.map((tried) => (tried.value === '7' ? { ...tried, errno: 'EINVAL' } : tried)),
      }),
    });
    assert.equal(obstacles.length, 1);
    assert.match(obstacles[0]!, /^variant-2\.sysctls\["net\.ipv4\.tcp_tw_reuse"\]: /);
  });

  it('a sysctl of the baseline, once and in the baseline, although every variant inherits it', async () => {
    const sysctls = { [REUSE]: '7' };
    const { obstacles } = await rehearsed(experimentOf([{ sysctls }, { sysctls }, { sysctls }]), {
      check: refuseSysctl('EINVAL'),
    });
    assert.equal(obstacles.length, 1);
    assert.match(obstacles[0]!, /^sysctls\["net\.ipv4\.tcp_tw_reuse"\]: /);
  });

  it("the lab's internet, of a program that needs it, where the kernel has no TPROXY", async () => {
    const command = { ...program.defaults, command: ['node', 'job.js'] };
    const why = 'nf_tables failed with ENOENT (TPROXY of nf_tables (CONFIG_NFT_TPROXY, Linux 4.19))';
    const without = { check: () => ({ internetMissing: why }) };
    const { obstacles, asked } = await rehearsed(experimentOf([{ proxy: command }, { proxy: command }]), without);
    assert.equal(asked.internet, true);
    assert.deepEqual(obstacles, [
      `subject: this machine cannot give a program the lab's internet: ${why}; load the module, as root: modprobe nft_tproxy. Distributions have it since Linux 4.19 (CONFIG_NFT_TPROXY)`,
    ]);
    const proxied = await rehearsed(experimentOf([{ proxy: SQUID }, { proxy: SQUID }]), without);
    assert.deepEqual([proxied.obstacles, proxied.asked.internet], [[], undefined]);
  });

  it('a strategy whose option the kernel lacks', async () => {
    const { obstacles } = await rehearsed(experimentOf([{}, { strategy: 'bind-no-port' }]), {
      check: () => ({
        strategies: [
          { name: 'bind', missing: null },
          { name: 'bind-no-port', missing: 'IP_BIND_ADDRESS_NO_PORT: ENOPROTOOPT' },
        ],
      }),
    });
    assert.deepEqual(obstacles, [
      'variant-1.load.strategy: this kernel (6.18.1) does not have the strategy bind-no-port (IP_BIND_ADDRESS_NO_PORT: ENOPROTOOPT); leave it out',
    ]);
  });

  it('IPv6, where there is none', async () => {
    const { obstacles } = await rehearsed(experimentOf([{ addresses: ['fd00::1'] }, { addresses: ['fd00::1'] }]), {
      check: () => ({ family: { available: false, errno: 'EAFNOSUPPORT' } }),
    });
    assert.deepEqual(obstacles, ['addresses: this machine has no IPv6 (EAFNOSUPPORT); use IPv4 addresses']);
  });

  it('addresses that the host does not have: the first three by name', async () => {
    const addresses = [1, 2, 3, 4, 5].map((i) => `192.0.2.${i}`);
    const missing = async (notLocal: string[]) =>
      (await rehearsed(experimentOf([{ addresses }, { addresses }]), { kind: 'host', check: () => ({ notLocal }) }))
        .obstacles;
    assert.deepEqual(await missing(addresses.slice(0, 2)), [
      "addresses: this host does not have 192.0.2.1, 192.0.2.2, and the host lab adds no addresses; use the host's own, or 127.0.0.0/8",
    ]);
    assert.match(
      (await missing(addresses))[0]!,
      /does not have 192\.0\.2\.1, 192\.0\.2\.2, 192\.0\.2\.3 and 2 more, and/,
    );
  });

  it('several things at once are all named', async () => {
    const { obstacles } = await rehearsed(experimentOf([{ sysctls: { [REUSE]: '7' } }, { strategy: 'bind-no-port' }]), {
      check: (command) => ({
        ...refuseSysctl('EINVAL')(command),
        strategies: [{ name: 'bind-no-port', missing: 'IP_BIND_ADDRESS_NO_PORT: ENOPROTOOPT' }],
      }),
    });
    assert.deepEqual(
      obstacles.map((text) => text.split(': ')[0]),
      ['sysctls["net.ipv4.tcp_tw_reuse"]', 'variant-1.load.strategy'],
    );
  });
});

describe('a rehearsal that cannot be held', () => {
  const attempt = async (script: Script | Error) => {
    const lab = fakeLab(() => script);
    const error: unknown = await rehearse(experimentOf([{}, {}]), lab).catch((reason) => reason);
    for (const session of lab.sessions) assert.equal(session.closed, true);
    return error;
  };

  it('because there is no lab', async () => {
    const refusal = new LabError('unshare: Operation not permitted');
    assert.equal(await attempt(refusal), refusal);
  });

  it('because the agent cannot do it', async () => {
    const error = await attempt({ says: [{ type: 'failed', message: 'no netlink here' }] });
    assert.ok(error instanceof LabError);
    assert.equal(error.message, 'no netlink here');
  });

  it('because the agent answers something else, garbage, or nothing', async () => {
    const error = await attempt({ says: [{ type: 'phase', phase: 'load' }] });
    assert.ok(error instanceof LabError);
    assert.equal(error.message, 'the agent answered phase to a check');
    const garbage = new ProtocolError('a line is not JSON: x');
    assert.equal(await attempt({ says: [garbage] }), garbage);
    const died = new AgentDied('the agent ended with code 1');
    assert.equal(await attempt({ says: [died] }), died);
  });
});
