/**
 * The change as `securityContext.sysctls` of pods. Source: kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster,
 * kubernetes.io/docs/reference/node/kernel-version-requirements, pkg/kubelet/sysctl/safe_sysctls.go.
 */
import { own } from '../../domain/own.js';
import { type AppliedChange, comment, type Form, lines } from './form.js';

/** Sysctls that every kubelet admits, with the first version that does; `securityContext.sysctls` itself is stable since 1.21. */
const SAFE: Readonly<Record<string, string>> = {
  'net.ipv4.ip_local_port_range': '1.21',
  'net.ipv4.tcp_syncookies': '1.21',
  'net.ipv4.ping_group_range': '1.21',
  'net.ipv4.ip_unprivileged_port_start': '1.22',
  'net.ipv4.ip_local_reserved_ports': '1.27',
  'net.ipv4.tcp_keepalive_time': '1.29',
  'net.ipv4.tcp_keepalive_intvl': '1.29',
  'net.ipv4.tcp_keepalive_probes': '1.29',
  'net.ipv4.tcp_fin_timeout': '1.29',
  'net.ipv4.tcp_rmem': '1.32',
  'net.ipv4.tcp_wmem': '1.32',
};

/** A patch of a Deployment, with what it needs of the cluster. */
export const KUBERNETES: Form = {
  of: 'Kubernetes',
  namespaceOnly: true,
  write: ({ title, facts, sysctls }) => ({
    name: 'kubernetes.yaml',
    content: lines([
      ...comment([
        title,
        '',
        ...facts,
        '',
        'For a Deployment (or a StatefulSet or DaemonSet), whose pods have a network namespace each. Look first whether they have:',
        "  kubectl get deployment NAME -o jsonpath='{.spec.template.spec.hostNetwork}'",
        'If this prints true, stop: the kubelet refuses pods with hostNetwork: true and these sysctls (SysctlForbidden), since they',
        'would be those of the node. Such pods need the drop-in on each node.',
        'The list replaces the sysctls that the pod template has; add those to it:',
        "  kubectl get deployment NAME -o jsonpath='{.spec.template.spec.securityContext.sysctls}'",
        ...needs(sysctls),
        'Apply; the pods are made again:',
        '  kubectl patch deployment NAME --patch-file kubernetes.yaml',
        'Check, in a pod:',
        ...sysctls.map(({ name }) => `  kubectl exec deployment/NAME -- cat /proc/sys/${pathOf(name)}`),
        'Go back:',
        '  kubectl rollout undo deployment NAME',
      ]),
      'spec:',
      '  template:',
      '    spec:',
      '      securityContext:',
      '        sysctls:',
      ...sysctls.flatMap(({ name, value }) => [
        `          - name: ${name}`,
        `            value: ${JSON.stringify(value)}`,
      ]),
    ]),
  }),
};

/** What the cluster must be, a line for each sysctl, and the flag that admits the unsafe ones. */
function needs(sysctls: AppliedChange['sysctls']): string[] {
  const unsafe = sysctls.map(({ name }) => name).filter((name) => own(SAFE, name) === undefined);
  return [
    ...sysctls.map(({ name }) => {
      const since = own(SAFE, name);
      return since === undefined
        ? `Unsafe     ${name}: refused (SysctlForbidden) by a kubelet that does not admit it`
        : `Safe       ${name}: since Kubernetes ${since}, on every node`;
    }),
    ...(unsafe.length === 0
      ? []
      : [
          'The kubelet of each node that may run these pods needs (in its configuration file: allowedUnsafeSysctls), and the pods a',
          'nodeSelector for those nodes:',
          `  --allowed-unsafe-sysctls=${unsafe.join(',')}`,
        ]),
  ];
}

/** `net.ipv4.conf.eth0/100.x` → `net/ipv4/conf/eth0.100/x`, as sysctl(8) reads names. */
export function pathOf(name: string): string {
  return name.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));
}
