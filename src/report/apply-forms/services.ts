/**
 * The change for what configures running machines: a profile of TuneD, and a unit of systemd for a named network namespace, which no file of
 * sysctl.d reaches. Source: tuned.conf(5), tuned-adm(8), systemd.exec(5) (`NetworkNamespacePath=`, since 242), systemd.service(5).
 */
import { comment, type Form, lines } from './form.js';

/** A profile that is laid over the one in force. */
export const TUNED: Form = {
  of: 'TuneD',
  namespaceOnly: false,
  write: ({ base, title, facts, sysctls }) => ({
    name: 'tuned.conf',
    content: lines([
      ...comment([
        title,
        '',
        ...facts,
        '',
        'As root, in the folder of this file; note which profile is active, and lay this one over it:',
        '  tuned-adm active',
        `  mkdir -p /etc/tuned/${base} && cp tuned.conf /etc/tuned/${base}/`,
        `  tuned-adm profile ACTIVE ${base}`,
        'Check; what /etc/sysctl.d sets wins over TuneD (reapply_sysctl in tuned-main.conf):',
        '  tuned-adm verify',
        'Go back:',
        `  tuned-adm profile ACTIVE && rm -r /etc/tuned/${base}`,
      ]),
      '[main]',
      `summary=${oneLine(title)}`,
      '',
      '[sysctl]',
      ...sysctls.map(({ name, value }) => `${name}=${value}`),
    ]),
  }),
};

/** A template whose instance is the name of a namespace in /run/netns. */
export const SYSTEMD: Form = {
  of: 'a systemd unit for a named network namespace',
  namespaceOnly: true,
  write: ({ base, title, facts, sysctls, dropIn: { read } }) => ({
    name: `${base}@.service`,
    content: lines([
      ...comment([
        title,
        '',
        ...facts,
        '',
        'For a service in a network namespace of its own (NetworkNamespacePath=, ip netns), which no file of sysctl.d reaches; for the',
        'machine itself use the drop-in. NAME is that of the namespace, which must be there first: add the unit that makes it to After=.',
        'As root, in the folder of this file:',
        `  cp ${base}@.service /etc/systemd/system/ && systemctl enable --now ${base}@NAME`,
        'Go back, to what was in force:',
        `  systemctl disable --now ${base}@NAME`,
      ]),
      '[Unit]',
      `Description=${oneLine(title).replaceAll('%', '%%')}, in the network namespace %I`,
      'Documentation=man:sysctl(8)',
      '',
      '[Service]',
      'Type=oneshot',
      'RemainAfterExit=yes',
      'NetworkNamespacePath=/run/netns/%I',
      'RuntimeDirectory=%p/%i',
      `ExecStartPre=/bin/sh -c '${read} > "$0"' ${BEFORE}`,
      ...sysctls.map(({ name, value }) => `ExecStart=/usr/sbin/sysctl -w "${name}=${value}"`),
      `ExecStop=/usr/sbin/sysctl -p ${BEFORE}`,
      '',
      '[Install]',
      'WantedBy=multi-user.target',
    ]),
  }),
};

const BEFORE = '%t/%p/%i/before';

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}
