import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { type Apply, applyOf } from '../../src/report/apply.js';
import { KUBERNETES } from '../../src/report/apply-forms/kubernetes.js';
import type { Results } from '../../src/results/schema.js';
import { HOSTILE } from '../support/hostile.js';
import { quickstartResults, realSizeResults } from '../support/results.js';

type Files = Extract<Apply, { kind: 'files' }>;

/** The files by their names, of a winner that sets these sysctls beside its range. */
function forms(more: Readonly<Record<string, string>> = {}, results: Results = realSizeResults()) {
  const variant = results.variants[1]!;
  Object.assign(variant.sysctls, more);
  for (const run of variant.runs) Object.assign(run.sysctls, more);
  const apply = applyOf(results);
  assert.ok(apply.kind === 'files', apply.kind === 'none' ? apply.reason : '');
  return { apply: apply as Files, files: new Map(apply.others.map(({ name, content }) => [name, content])) };
}

const RANGE = 'net.ipv4.ip_local_port_range';
const PATCH = (sysctls: unknown) => ({ spec: { template: { spec: { securityContext: { sysctls } } } } });

describe('the other forms of a change', () => {
  it('have the values of the drop-in, in the structure that their readers take', () => {
    const { files } = forms({ 'net.ipv4.ip_local_reserved_ports': '8080,9000-9010' });
    assert.deepEqual(
      [...files.keys()],
      [
        'kubernetes.yaml',
        'docker-run.sh',
        'compose.sysctls.yaml',
        'ansible.yml',
        'tuned.conf',
        'zz-bindstorm-wider-range@.service',
      ],
    );
    assert.deepEqual(
      parse(files.get('kubernetes.yaml')!),
      PATCH([
        { name: RANGE, value: '1024 65535' },
        { name: 'net.ipv4.ip_local_reserved_ports', value: '8080,9000-9010' },
      ]),
    );
    assert.deepEqual(parse(files.get('compose.sysctls.yaml')!), {
      services: {
        SERVICE: { sysctls: { [RANGE]: '1024 65535', 'net.ipv4.ip_local_reserved_ports': '8080,9000-9010' } },
      },
    });
    assert.match(files.get('docker-run.sh')!, /^ {2}--sysctl 'net\.ipv4\.ip_local_port_range=1024 65535' \\$/m);
    assert.match(files.get('tuned.conf')!, /^\[sysctl\]\nnet\.ipv4\.ip_local_port_range=1024 65535$/m);
    const unit = files.get('zz-bindstorm-wider-range@.service')!;
    assert.match(unit, /^ExecStart=\/usr\/sbin\/sysctl -w "net\.ipv4\.ip_local_port_range=1024 65535"$/m);
  });

  it('are told in the drop-in, and say what was measured and what to beware of', () => {
    const { apply, files } = forms();
    assert.match(apply.dropIn, /^# Other forms of it are beside this file: kubernetes\.yaml, docker-run\.sh, compose/m);
    for (const [name, text] of files)
      for (const words of [/^# Measured {3}failures: 50\.0 % → 0 %/m, /^# Beware {5}/m, /^# Where {6}Linux 6\.12\.63/m])
        assert.match(text, words, name);
  });

  it('never have a value of a scaled-down model', () => {
    const { files } = forms({}, quickstartResults());
    for (const [name, text] of files)
      for (const line of text.split('\n').filter((one) => !one.startsWith('#')))
        assert.doesNotMatch(line, /\b4\d{4}\b/, `${name}: ${line}`);
    assert.deepEqual(parse(files.get('kubernetes.yaml')!), PATCH([{ name: RANGE, value: '1024 65535' }]));
  });

  it('of containers and namespaces are left out, with the reason, where a sysctl is the whole machine’s', () => {
    const { apply, files } = forms({ 'net.core.netdev_max_backlog': '5000' });
    assert.deepEqual([...files.keys()], ['ansible.yml', 'tuned.conf']);
    assert.match(
      apply.dropIn,
      /^# net\.core\.netdev_max_backlog: one value for the whole machine, so there is no file for Kubernetes, docker run, compose, a systemd unit/m,
    );
  });

  it('take no line, and no template, from the texts of the experiment', () => {
    const results = realSizeResults();
    const nasty = `${HOSTILE}\nkernel.core_pattern = |/bin/sh\r\u2028{{ lookup('pipe', 'id') }} {% x %} %n $HOME \`id\``;
    results.experiment.name += nasty;
    results.experiment.command += nasty;
    results.environment.lab += nasty;
    results.variants[1]!.name += `/../../${nasty}`;
    const { files } = forms({}, results);
    for (const [name, text] of files) {
      assert.match(name, /^[A-Za-z0-9.-]+@?[A-Za-z0-9.-]+$/);
      assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\u2028]/u, name);
    }
    assert.deepEqual(parse(files.get('kubernetes.yaml')!), PATCH([{ name: RANGE, value: '1024 65535' }]));
    const [play] = parse(files.get('ansible.yml')!) as [{ name: string }];
    assert.doesNotMatch(play.name, /\{[{%#]/);
    const settings = (text: string) => text.split('\n').filter((line) => /^[^#[].*=/.test(line));
    assert.deepEqual(
      settings(files.get('tuned.conf')!).filter((line) => !line.startsWith('summary=')),
      [`${RANGE}=1024 65535`],
    );
    const unit = [...files].find(([name]) => name.endsWith('.service'))![1];
    assert.deepEqual(
      settings(unit).map((line) => line.split('=')[0]),
      [
        'Description',
        'Documentation',
        'Type',
        'RemainAfterExit',
        'NetworkNamespacePath',
        'RuntimeDirectory',
        'ExecStartPre',
        'ExecStart',
        'ExecStop',
        'WantedBy',
      ],
    );
  });
});

describe('for Kubernetes', () => {
  const written = (...names: string[]) =>
    KUBERNETES.write({
      base: 'zz',
      title: 'a change',
      facts: [],
      sysctls: names.map((name) => ({ name, value: '1' })),
      machineWide: [],
      dropIn: { name: '', path: '', record: '', read: '', check: '' },
    }).content;

  it('safe sysctls have the version since which they are', () => {
    const text = written(RANGE, 'net.ipv4.ip_local_reserved_ports', 'net.ipv4.tcp_fin_timeout');
    assert.match(text, /^# Safe {7}net\.ipv4\.ip_local_port_range: since Kubernetes 1\.21, on every node$/m);
    assert.match(text, /^# Safe {7}net\.ipv4\.ip_local_reserved_ports: since Kubernetes 1\.27/m);
    assert.match(text, /^# Safe {7}net\.ipv4\.tcp_fin_timeout: since Kubernetes 1\.29/m);
    assert.doesNotMatch(text, /unsafe/i);
  });

  it('unsafe ones have the flag that the kubelet needs', () => {
    const text = written(RANGE, 'net.ipv4.tcp_tw_reuse', 'net.ipv4.ip_autobind_reuse');
    assert.match(text, /^# Unsafe {5}net\.ipv4\.tcp_tw_reuse: refused \(SysctlForbidden\)/m);
    assert.match(text, /^# {3}--allowed-unsafe-sysctls=net\.ipv4\.tcp_tw_reuse,net\.ipv4\.ip_autobind_reuse$/m);
  });

  it('hostNetwork is refused, and the way to the node is named', () => {
    assert.match(
      written(RANGE),
      /hostNetwork\}'\n# If this prints true, stop: .*\(SysctlForbidden\)[\s\S]*drop-in on each node/,
    );
  });
});
