/**
 * The drop-in on many machines, by Ansible and with modules of ansible-core alone. The values have one home, the drop-in, which the
 * playbook copies. Source: docs.ansible.com, ansible.builtin.
 */
import { comment, type Form, lines } from './form.js';

/** A playbook that records, applies, checks, and goes back. */
export const ANSIBLE: Form = {
  of: 'Ansible',
  namespaceOnly: false,
  write: ({ title, facts, dropIn: { name, path, record, read, check } }) => ({
    name: 'ansible.yml',
    content: lines([
      ...comment([
        title,
        '',
        ...facts,
        '',
        `It does on many machines what the comment of ${name} says, and reads that file and its .rollback beside itself.`,
        'See what would change, then apply, to one machine first:',
        '  ansible-playbook -i INVENTORY -e machines=HOST --check ansible.yml',
        '  ansible-playbook -i INVENTORY -e machines=HOST ansible.yml',
        'Go back, to what each machine had:',
        '  ansible-playbook -i INVENTORY -e machines=HOST -e state=absent ansible.yml',
      ]),
      `- name: ${yaml(title)}`,
      '  hosts: "{{ machines }}"',
      '  become: true',
      '  gather_facts: false',
      '  tasks:',
      '    - name: Apply',
      "      when: state | default('present') == 'present'",
      '      block:',
      '        - name: Record what is in force, once',
      `          ansible.builtin.shell: ${yaml(`${read} > ${record}`)}`,
      '          args:',
      `            creates: ${record}`,
      '        - name: Copy the drop-in',
      '          ansible.builtin.copy:',
      `            src: ${name}`,
      `            dest: ${path}`,
      '            owner: root',
      '            group: root',
      '            mode: "0644"',
      '          register: dropin',
      '        - name: Put it in force',
      `          ansible.builtin.command: sysctl -p ${path}`,
      '          when: dropin is changed',
      '        - name: Check that it is in force',
      `          ansible.builtin.shell: ${yaml(check)}`,
      '          register: missing',
      '          changed_when: false',
      "          failed_when: missing.stdout != ''",
      '    - name: Go back',
      `      ansible.builtin.script: ${name}.rollback`,
      '      args:',
      `        removes: ${record}`,
      "      when: state | default('present') == 'absent'",
    ]),
  }),
};

/** A scalar in which Ansible expands nothing but what is meant: {{ and {% are not in these texts, or are taken apart. */
function yaml(text: string): string {
  return JSON.stringify(text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').replace(/\{(?=[{%#])/g, '{ '));
}
