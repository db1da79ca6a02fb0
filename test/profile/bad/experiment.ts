/**
 * Bad profiles: names, goals, guardrails and thresholds.
 */
import { add, type BadProfile, edit } from './bad-profile.js';

export const EXPERIMENT: readonly BadProfile[] = [
  {
    title: 'a kernel for a lab that has none of its own',
    text: add('lab: { kind: netns, kernel: trixie }'),
    place: 'lab.kernel:8',
    message:
      /^the netns lab has no "kernel" \(it runs on the kernel of this machine\); use kind: vm, or remove kernel$/,
  },
  {
    title: 'an unknown kernel',
    text: add('lab: { kind: vm, kernel: buster }'),
    place: 'lab.kernel:8',
    message:
      /"buster" is not a kernel; use a Debian suite \(bullseye, bookworm, trixie, sid\), "running" .* or a path with a slash/,
  },
  {
    title: 'kernels without a lab that boots them',
    text: add('kernels: [bookworm, trixie]'),
    place: 'kernels:8',
    message: /without "lab" it would run on the kernel of this machine: write lab: \{ kind: vm \}, or remove kernels/,
  },
  {
    title: 'kernels for a lab that has none of its own',
    text: add('lab: { kind: netns }\nkernels: [bookworm, trixie]'),
    place: 'kernels:9',
    message: /the netns lab runs on the kernel of this machine/,
  },
  {
    title: 'kernels and a kernel',
    text: add('lab: { kind: vm, kernel: sid }\nkernels: [bookworm, trixie]'),
    place: 'lab.kernel:8',
    message: /^lab\.kernel \("sid"\) and kernels both say what is booted; remove one of the two$/,
  },
  {
    title: 'an unknown kernel among others',
    text: add('lab: { kind: vm }\nkernels:\n  - bookworm\n  - { kernel: potato }'),
    place: 'kernels[1].kernel:11',
    message: /"potato" is not a kernel; use a Debian suite/,
  },
  {
    title: 'a kernel twice',
    text: add('lab: { kind: vm }\nkernels: [trixie, bookworm, trixie]'),
    place: 'kernels[2]:9',
    message: /^"trixie" is in the list twice with the same engine \(kernels\[0\]\); remove one$/,
  },
  {
    title: 'a kernel twice, once with the engine that it has anyway',
    text: add('lab: { kind: vm }\nkernels: [trixie, { kernel: trixie, engine: uml }]'),
    place: 'kernels[1].kernel:9',
    message: /^"trixie" is in the list twice with the same engine \(kernels\[0\]\); remove one$/,
  },
  {
    title: 'an unknown engine for a kernel',
    text: add('lab: { kind: vm }\nkernels: [{ kernel: trixie, engine: xen }]'),
    place: 'kernels[0].engine:9',
    message: /^engine must be one of uml, qemu, not "xen" \(a text\)$/,
  },
  {
    title: 'no kernel at all',
    text: add('lab: { kind: vm }\nkernels: []'),
    place: 'kernels:9',
    message:
      /^kernels must have at least 1 item \(vm only, instead of lab\.kernel: baseline and variants run on each of these kernels, side by side\), not 0: write "kernels: \[bookworm, trixie\]"$/,
  },
  {
    title: 'a box for another lab',
    text: add('lab: { kind: vm, box: trixie }'),
    place: 'lab.box:8',
    message: /^the vm lab has no "box"; use kind: vagrant, or remove box$/,
  },
  {
    title: 'a box of the catalogue, not of the Vagrantfile',
    text: add('lab: { kind: vagrant, box: debian/bookworm64 }'),
    place: 'lab.box:8',
    message: /"debian\/bookworm64" is not a box; use the name of a machine in the Vagrantfile, for example bookworm/,
  },
  {
    title: 'two variants of one name',
    text: add('  - name: two\n  - name: one'),
    place: 'variants[2].name:9',
    message: /^"one" is the name of variants\[0\] too: rename one$/,
  },
  {
    title: 'a variant called baseline',
    text: edit('name: one', 'name: baseline'),
    place: 'variants[0].name:7',
    message: /^a variant cannot be called "baseline", which is what it is compared with: use another name$/,
  },
  {
    title: 'an unknown goal',
    text: add('goal: throughput'),
    place: 'goal:8',
    message: /"throughput" is not a metric; the metrics are outcomes\["bind:EADDRINUSE"\]\.share/,
  },
  {
    title: 'a goal with an unknown outcome',
    text: add("goal: outcomes['EADDRINUSE'].share"),
    place: 'goal:8',
    message: /write ok, shed, a phase and an errno/,
  },
  {
    title: 'a mistyped metric',
    text: add('goal: ports.perRequests'),
    place: 'goal:8',
    message: /"ports\.perRequests" is not a metric; did you mean ports\.perRequest\?/,
  },
  {
    title: 'a metric of recovery without one',
    text: add('goal: recovery.time'),
    place: 'goal:8',
    message: /^recovery\.time is measured only with load\.recovery: add "load: \{ recovery: \{ within: 15s \} \}"$/,
  },
  {
    title: 'a metric of the source address without one that is unbound',
    text: add('goal: sourceAddress.wrong'),
    place: 'goal:8',
    message: /^sourceAddress\.wrong is measured only with addresses\.unbound/,
  },
  {
    title: 'an unknown guardrail',
    text: add('guardrails: [capacity, latency.total.p42]'),
    place: 'guardrails[1]:8',
    message: /"latency\.total\.p42" is not a metric; did you mean latency\.total\.p50?/,
  },
  {
    title: 'a guardrail twice',
    text: add('guardrails: [capacity, capacity]'),
    place: 'guardrails[1]:8',
    message: /^"capacity" is in the list twice: remove one$/,
  },
  {
    title: 'the goal as a guardrail',
    text: add('goal: capacity\nguardrails: [capacity]'),
    place: 'guardrails[0]:9',
    message: /^"capacity" is the goal already: remove it here$/,
  },
  {
    title: 'a threshold without a limit',
    text: add('thresholds:\n  - metric: failures.share'),
    place: 'thresholds[0]:9',
    message: /^a threshold needs max or min: add "max: 0"$/,
  },
  {
    title: 'a threshold for an unknown variant',
    text: add('thresholds: [{ metric: failures.share, max: 0, variant: onne }]'),
    place: 'thresholds[0].variant:8',
    message: /^there is no variant "onne"; use one of baseline, one \(did you mean one\?\)$/,
  },
  {
    title: 'a limit without a unit',
    text: add('thresholds: [{ metric: latency.connect.p99, max: 5 }]'),
    place: 'thresholds[0].max:8',
    message: /a limit on a time needs a unit, for example 5ms/,
  },
  {
    title: 'a share above one',
    text: add('thresholds: [{ metric: failures.share, max: 5 }]'),
    place: 'thresholds[0].max:8',
    message: /the limit 5 is not a share from 0 to 1, or a percentage such as 1%/,
  },
  {
    title: 'a limit that is no number',
    text: add('thresholds: [{ metric: capacity, min: true }]'),
    place: 'thresholds[0].min:8',
    message: /^min must be a number or a text \(at least\), not true \(true or false\): write "min: 0\.9"$/,
  },
  {
    title: 'limits that no run can pass',
    text: add('thresholds: [{ metric: capacity, min: 9, max: 5 }]'),
    place: 'thresholds[0].min:8',
    message: /^min 9 is above max 5, so that no run could pass: swap them$/,
  },
];
