/**
 * Bad profiles: sysctls that are none, and that try to be more.
 */
import { add, type BadProfile, edit, sysctl } from './bad-profile.js';

export const SYSCTLS: readonly BadProfile[] = [
  {
    title: 'a path instead of a name',
    text: sysctl('net/ipv4/tcp_tw_reuse: 1'),
    place: 'sysctls["net/ipv4/tcp_tw_reuse"]:9',
    message: /a path; a name is lower-case words joined by dots.*write net\.ipv4\.tcp_tw_reuse/,
  },
  {
    title: 'a name that climbs out',
    text: sysctl('net.ipv4/../../kernel.core_pattern: x'),
    place: 'sysctls["net.ipv4/../../kernel.core_pattern"]:9',
    message: /a path; a name is lower-case words/,
  },
  {
    title: 'a name with an empty word',
    text: sysctl('net..ipv4.tcp_tw_reuse: 1'),
    place: 'sysctls["net..ipv4.tcp_tw_reuse"]:9',
    message: /an empty word between its dots/,
  },
  {
    title: 'a name with a shell command',
    text: sysctl('"net.ipv4.tcp_tw_reuse; rm -rf ~": 1'),
    place: 'sysctls["net.ipv4.tcp_tw_reuse; rm -rf ~"]:9',
    message: /characters that no sysctl name has/,
  },
  {
    title: 'a name with a line break',
    text: sysctl('"net.ipv4.tcp_tw_reuse\\nvm.x": 1'),
    place: 'sysctls["net.ipv4.tcp_tw_reuse\\nvm.x"]:9',
    message: /characters that no sysctl name has/,
  },
  {
    title: 'a short name',
    text: sysctl('tcp_tw_reuse: 1'),
    place: 'sysctls.tcp_tw_reuse:9',
    message: /a name starts with net\., vm\., fs\., kernel\. and continues with a word: write net\.ipv4\.tcp_tw_reuse/,
  },
  {
    title: 'a name of an unknown tree',
    text: sysctl('dev.cdrom.lock: 1'),
    place: 'sysctls["dev.cdrom.lock"]:9',
    message: /a name starts with net\., vm\., fs\., kernel\./,
  },
  {
    title: 'a name with capitals',
    text: sysctl('net.ipv4.TCP_TW_REUSE: 1'),
    place: 'sysctls["net.ipv4.TCP_TW_REUSE"]:9',
    message: /write net\.ipv4\.tcp_tw_reuse/,
  },
  {
    title: 'a value that is a command',
    text: sysctl('net.ipv4.tcp_tw_reuse: $(reboot)'),
    place: 'sysctls["net.ipv4.tcp_tw_reuse"]:9',
    message: /"\$\(reboot\)" is not a value of a sysctl; a value is numbers/,
  },
  {
    title: 'a value with a pipe',
    text: sysctl('kernel.core_pattern: "|/tmp/x"'),
    place: 'sysctls["kernel.core_pattern"]:9',
    message: /a value is numbers/,
  },
  {
    title: 'a value with a line break',
    text: sysctl('net.ipv4.tcp_tw_reuse: "1\\n2"'),
    place: 'sysctls["net.ipv4.tcp_tw_reuse"]:9',
    message: /has a line break.*write it on one line/,
  },
  {
    title: 'a value with two spaces',
    text: sysctl('net.ipv4.ip_local_port_range: "1024  65535"'),
    place: 'sysctls["net.ipv4.ip_local_port_range"]:9',
    message: /"1024 {2}65535" is not a range of local ports; write two ports .* with one space between them/,
  },
  {
    title: 'a value of yes',
    text: sysctl('net.ipv4.tcp_tw_reuse: yes'),
    place: 'sysctls["net.ipv4.tcp_tw_reuse"]:9',
    message: /"yes" is not a number, and the kernel's switches are numbers; write 1/,
  },
  {
    title: 'a value of true',
    text: sysctl('net.ipv4.tcp_tw_reuse: true'),
    place: 'sysctls["net.ipv4.tcp_tw_reuse"]:9',
    message: /^the kernel's switches are numbers, not true: write 1$/,
  },
  {
    title: 'a value with a fraction',
    text: sysctl('net.ipv4.tcp_tw_reuse: 0.5'),
    place: 'sysctls["net.ipv4.tcp_tw_reuse"]:9',
    message: /^the value must be a whole number such as 1, or a text such as "1024 65535", not 0\.5 \(a number\)$/,
  },
  {
    title: 'no value',
    text: sysctl('net.ipv4.tcp_tw_reuse:'),
    place: 'sysctls["net.ipv4.tcp_tw_reuse"]:9',
    message: /^the value is missing; write a number or a text, or remove the line$/,
  },
  {
    title: 'a list of values',
    text: sysctl('net.ipv4.ip_local_port_range: [1024, 65535]'),
    place: 'sysctls["net.ipv4.ip_local_port_range"]:9',
    message: /^the value must be a whole number such as 1, or a text such as "1024 65535", not a list$/,
  },
  {
    title: 'sysctls as a list',
    text: add('sysctls: [net.ipv4.tcp_tw_reuse]'),
    place: 'sysctls:8',
    message: /^sysctls must be a map of keys \(.*\), not a list: write "sysctls: /,
  },
  {
    title: "a variant's bad sysctl",
    text: edit('- name: one', '- name: one\n    sysctls: { net.ipv4.tcp_fin_timeout: "5;" }'),
    place: 'variants[0].sysctls["net.ipv4.tcp_fin_timeout"]:8',
    message: /"5;" is not a value of a sysctl/,
  },
];
