/** The kernel as a factor, up to the runs: their order, and what each kernel is asked and lacks. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Check, Command } from '../../src/agent/protocol.js';
import { sameFit } from '../../src/experiment/fit.js';
import { planRuns } from '../../src/experiment/order.js';
import { findPlaces } from '../../src/experiment/places.js';
import { LabError } from '../../src/lab/lab.js';
import { armId } from '../../src/plan/kernels.js';
import type { Experiment } from '../../src/plan/plan.js';
import { fakeLab } from '../support/fake-lab.js';
import { placeOf } from '../support/findings.js';
import { DELAY, fittedExperiment, kernelExperiment, RECYCLE } from '../support/kernels.js';

describe('the order of runs on several kernels', () => {
  const runs = planRuns({ ...fittedExperiment(), warmup: 1, repeat: 20 });
  const block = (i: number) => runs.filter((run) => run.block === i);

  it('a block has one run of every arm on every kernel that can run it', () => {
    const all = ['all@new', 'all@old', 'baseline@new', 'baseline@old', 'delay@new', 'range@new', 'range@old'];
    for (let i = 0; i <= 20; i++) {
      assert.deepEqual(
        block(i)
          .map((run) => armId(run))
          .sort(),
        all,
      );
    }
  });

  it('kernels are not run one after the other', () => {
    const switches = (i: number) => {
      const kernels = block(i).map(({ kernel }) => kernel);
      return kernels.filter((kernel, j) => j > 0 && kernel !== kernels[j - 1]).length;
    };
    const total = Array.from({ length: 21 }, (_, i) => switches(i)).reduce((sum, n) => sum + n, 0);
    assert.ok(total > 21 * 1.5, `${total} changes of kernel in 21 blocks of 7`);
  });

  it('ids are unique, name the kernel, and are fit for a file name', () => {
    const ids = runs.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const { id, variant, kernel } of runs) assert.match(id, new RegExp(`^b\\d\\d-${variant}@${kernel}$`));
  });
});

type CheckCommand = Extract<Command, { type: 'check' }>;
type Answer = (name: string, value: string) => string | null;

/** A kernel that has everything but what `errno` says. */
function answer(command: CheckCommand, errno: Answer, strategies: readonly string[] = []): Check {
  return {
    sysctls: command.sysctls.map(([name, value]) => ({ name, value, readBack: value, errno: errno(name, value) })),
    ...(command.roleSysctls
      ? {
          roleSysctls: command.roleSysctls.map(([name, value]) => ({
            ...{ name, value, readBack: value },
            errno: errno(`role ${name}`, value),
          })),
        }
      : {}),
    strategies: command.strategies.map((name) => ({
      name,
      missing: strategies.includes(name) ? 'IP_LOCAL_PORT_RANGE: ENOPROTOOPT' : null,
    })),
    family: { available: true, errno: null },
    veth: { available: true, errno: null },
    notLocal: [],
    clocksMissing: null,
  };
}

interface Machine {
  readonly kernel: string;
  readonly errno?: Answer;
  readonly strategies?: readonly string[];
}

const lacking =
  (...names: string[]): Answer =>
  (name) =>
    names.includes(name) ? 'ENOENT' : null;
const OLD: Machine = { kernel: '6.1.176', errno: lacking(DELAY, RECYCLE) };
const NEW: Machine = { kernel: '7.2.7', errno: lacking(RECYCLE) };

async function placesOf(experiment: Experiment, machines: Readonly<Record<string, Machine>> = { old: OLD, new: NEW }) {
  const asked: string[] = [];
  const places = await findPlaces(experiment, (name) => {
    const machine = machines[name!]!;
    return fakeLab(
      () => ({
        environment: { kernel: machine.kernel },
        answers: (command) => {
          if (command.type !== 'check') return [];
          asked.push(name!);
          return [{ type: 'checked', check: answer(command, machine.errno ?? (() => null), machine.strategies) }];
        },
      }),
      'vm',
    );
  });
  const obstacles = places.findings.map((finding) => `${placeOf(finding)}: ${finding.message}`);
  return { ...places, asked, obstacles };
}

/** Change the arms of one name, on every kernel. */
function changed(name: string, change: Partial<Experiment['arms'][number]>): Experiment {
  const experiment = kernelExperiment();
  return { ...experiment, arms: experiment.arms.map((arm) => (arm.name === name ? { ...arm, ...change } : arm)) };
}

describe('what each kernel lacks', () => {
  it('is asked once in a lab of its own, and is no error', async () => {
    const { asked, findings, all, experiment, warnings } = await placesOf(kernelExperiment());
    assert.deepEqual([asked, findings], [['old', 'new'], []]);
    assert.deepEqual(
      all.map(({ name, environment }) => [name, environment.kernel]),
      [
        ['old', '6.1.176'],
        ['new', '7.2.7'],
      ],
    );
    assert.ok(sameFit(experiment, fittedExperiment()));
    assert.deepEqual(
      experiment.arms.filter(({ absent }) => absent).map((arm) => [armId(arm), arm.missing]),
      [
        ['delay@old', { [DELAY]: 'since Linux 6.14' }],
        ['recycle@old', { [RECYCLE]: 'until Linux 4.11' }],
        ['recycle@new', { [RECYCLE]: 'until Linux 4.11' }],
      ],
    );
    assert.deepEqual(warnings, [
      `delay is not run on old: not on this kernel (${DELAY}: since Linux 6.14)`,
      `recycle is not run: on none of these kernels (${RECYCLE}: until Linux 4.11)`,
      `all runs on old without what is not there (${DELAY}: since Linux 6.14; ${RECYCLE}: until Linux 4.11)`,
      `all runs on new without what is not there (${RECYCLE}: until Linux 4.11)`,
    ]);
  });

  it('is left out of a variant that says skipMissing, as long as something is left', async () => {
    const { experiment } = await placesOf(kernelExperiment());
    const all = experiment.arms.filter(({ name }) => name === 'all');
    assert.deepEqual(
      all.map(({ sysctls, absent, changes }) => [Object.keys(sysctls).length, absent, changes.length]),
      [
        [1, undefined, 1],
        [2, undefined, 2],
      ],
    );
    const nothing = await placesOf(changed('all', { sysctls: { [DELAY]: '1', [RECYCLE]: '1' } }));
    const [onOld, onNew] = nothing.experiment.arms.filter(({ name }) => name === 'all');
    assert.deepEqual([onOld!.absent, onNew!.absent], [true, undefined]);
  });

  it('counts as the kernel says it, not as its version lets expect', async () => {
    const { experiment } = await placesOf(kernelExperiment(), { old: { kernel: '6.1.176' }, new: NEW });
    assert.ok(experiment.arms.filter(({ kernel }) => kernel === 'old').every(({ absent }) => !absent));
  });

  it('may be a strategy', async () => {
    const arm = kernelExperiment().arms[0]!;
    const experiment = changed('range', { load: { ...arm.load, strategy: 'local-port-range' } });
    const machines = { old: { ...OLD, strategies: ['local-port-range'] }, new: NEW };
    const { experiment: fitted, findings } = await placesOf(experiment, machines);
    assert.deepEqual(findings, []);
    const [onOld, onNew] = fitted.arms.filter(({ name }) => name === 'range');
    assert.deepEqual(onOld!.missing, { 'strategy local-port-range': 'since Linux 6.3' });
    assert.deepEqual([onOld!.absent, onNew!.absent], [true, undefined]);
  });

  it('may be a value', async () => {
    const two = (name: string, value: string) => (name === DELAY && value === '100' ? 'EINVAL' : null);
    const { experiment, findings } = await placesOf(kernelExperiment(), {
      old: { kernel: '6.14.0', errno: two },
      new: NEW,
    });
    assert.deepEqual(findings, []);
    assert.deepEqual(experiment.arms.find((arm) => armId(arm) === 'delay@old')!.missing, {
      [DELAY]: 'does not accept 100 here',
    });
  });

  it('and the baseline names, keeps all of that kernel from running', async () => {
    const base = kernelExperiment();
    const experiment = {
      ...base,
      arms: base.arms.map((arm) => ({ ...arm, sysctls: { [DELAY]: '7', ...arm.sysctls } })),
    };
    const { experiment: fitted, findings } = await placesOf(experiment);
    assert.deepEqual(findings, []);
    for (const { kernel, absent, name, missing } of fitted.arms) {
      assert.equal(absent ?? false, kernel === 'old' || name === 'recycle', `${name}@${kernel}`);
      if (kernel === 'old') assert.equal(missing?.[DELAY], 'since Linux 6.14');
    }
    const nowhere = await placesOf(experiment, { old: OLD, new: OLD });
    assert.match(nowhere.obstacles.join(), /^kernels: nothing can run: .*tcp_tw_reuse_delay: since Linux 6\.14/);
  });

  it('may be of the router, which has a namespace of its own', async () => {
    const name = 'net.netfilter.nf_conntrack_tcp_ignore_invalid_rst';
    const roles = { client: {}, origin: {}, router: { [name]: '1' } };
    const old = { ...OLD, errno: lacking(DELAY, RECYCLE, `role ${name}`) };
    const { experiment, findings } = await placesOf(changed('range', { roles }), { old, new: NEW });
    assert.deepEqual(findings, []);
    const [onOld, onNew] = experiment.arms.filter((arm) => arm.name === 'range');
    assert.deepEqual([onOld!.absent, onNew!.absent], [true, undefined]);
    assert.deepEqual(Object.keys(onOld!.missing!), [`${name} of the router`]);
    const parts = changed('all', { roles });
    const [part] = (await placesOf(parts, { old, new: NEW })).experiment.arms.filter((arm) => arm.name === 'all');
    assert.deepEqual([part!.absent, part!.roles!.router], [undefined, {}], 'what is left is run');
    const max = 'net.netfilter.nf_conntrack_max';
    const shared = changed('range', { roles: { ...roles, router: { [max]: '1000' } } });
    const errno: Answer = (asked) => (asked === `role ${max}` ? 'EACCES' : null);
    const { obstacles } = await placesOf(shared, { old: { ...OLD, errno }, new: { ...NEW, errno } });
    assert.deepEqual(obstacles, [
      `range.roles.router.sysctls["${max}"]: the router has a network namespace of its own, in which ${max} is read-only (EACCES): one value serves the whole kernel; leave it out`,
    ]);
  });

  it('is asked again on resume, and is the same', async () => {
    const { experiment } = await placesOf(kernelExperiment());
    const again = await placesOf(experiment);
    assert.deepEqual(again.obstacles, []);
    assert.ok(sameFit(experiment, again.experiment));
    const other = await placesOf(experiment, { old: OLD, new: OLD });
    assert.ok(!sameFit(experiment, other.experiment));
  });
});

describe('what is refused on several kernels', () => {
  it('a name that none of them has, and that no other is known to have', async () => {
    const name = 'net.ipv4.tcp_tw_reuze';
    const machine = { kernel: '6.1.176', errno: lacking(name) };
    const experiment = changed('delay', { sysctls: { [name]: '1' } });
    const { obstacles } = await placesOf(experiment, { old: machine, new: { ...machine, kernel: '7.2.7' } });
    assert.deepEqual(obstacles, [
      `delay.sysctls["${name}"]: none of these kernels (6.1.176, 7.2.7) has ${name}, and no known kernel does; check the name, or leave it out`,
    ]);
    const onOne = await placesOf(experiment, { old: machine, new: NEW });
    assert.deepEqual(onOne.obstacles, [], 'one that a kernel has is no typo');
  });

  it('a value that none of them accepts', async () => {
    const errno: Answer = (name) => (name === RECYCLE ? 'ENOENT' : name === DELAY ? 'EINVAL' : null);
    const { obstacles } = await placesOf(kernelExperiment(), { old: OLD, new: { kernel: '7.2.7', errno } });
    assert.deepEqual(obstacles, [
      `delay.sysctls["${DELAY}"]: no kernel here accepts ${DELAY} = 100 (EINVAL); give a value in its range`,
      `all.sysctls["${DELAY}"]: no kernel here accepts ${DELAY} = 100 (EINVAL); give a value in its range`,
    ]);
  });

  it('what is refused in every lab, and is not tried', async () => {
    const { obstacles } = await placesOf(changed('delay', { sysctls: { 'vm.drop_caches': '1' } }));
    assert.equal(obstacles.length, 1);
    assert.match(obstacles[0]!, /^delay\.sysctls\["vm\.drop_caches"\]: .*refused in every lab/);
  });

  it('a kernel that cannot be had, by its name', async () => {
    const attempt = findPlaces(kernelExperiment(), () =>
      fakeLab(() => new LabError('it did not boot', { remedy: 'boot it' }), 'vm'),
    );
    await assert.rejects(attempt, (error) => {
      assert.ok(error instanceof LabError);
      assert.deepEqual([error.message, error.remedy], ['the kernel old: it did not boot', 'boot it']);
      return true;
    });
  });
});
