/**
 * Bad profiles: missing and unknown keys, and values of the wrong type.
 */
import { SUBJECT_KINDS } from '../../../src/subjects/index.js';
import { add, type BadProfile, edit, load } from './bad-profile.js';

export const KEYS_AND_TYPES: readonly BadProfile[] = [
  {
    title: 'no name',
    text: edit('name: good\n', ''),
    place: 'name:1',
    message: /the key "name" is missing.*: add "name: /,
  },
  {
    title: 'no addresses',
    text: edit('addresses: 10.50.0.0/24\n', ''),
    place: 'addresses:1',
    message: /the key "addresses" is missing: add "addresses: 10\.50\.0\.0\/24"/,
  },
  {
    title: 'no load',
    text: 'name: x\naddresses: 10.50.0.0/24\nvariants: [{ name: one }]\n',
    place: 'load:1',
    message: /the key "load" is missing: add "load: \{ arrival/,
  },
  {
    title: 'no arrival',
    text: edit('  arrival: { shape: constant, rate: 100/s, duration: 1s }\n', ''),
    place: 'load.arrival:4',
    message: /the key "arrival" is missing: add "arrival: /,
  },
  {
    title: 'no variants',
    text: edit('variants:\n  - name: one\n', ''),
    place: 'variants:1',
    message: /the key "variants" is missing: add "variants: /,
  },
  {
    title: 'an empty list of variants',
    text: edit('variants:\n  - name: one', 'variants: []'),
    place: 'variants:6',
    message:
      /^variants must have at least 1 item, not 0: write "variants: \[\{ name: no-port, load: \{ strategy: bind-no-port \} \}\]"$/,
  },
  {
    title: 'a map instead of the list of variants',
    text: edit('  - name: one', '  name: one'),
    place: 'variants:7',
    message:
      /^variants must be a list, not a map of keys: write "variants: \[\{ name: no-port, load: \{ strategy: bind-no-port \} \}\]"$/,
  },
  {
    title: 'a variant without a name',
    text: edit('- name: one', '- description: one'),
    place: 'variants[0].name:7',
    message: /the key "name" is missing: add "name: wider-range"/,
  },
  {
    title: 'a variant that is a word',
    text: edit('- name: one', '- one'),
    place: 'variants[0]:7',
    message:
      /^this item must be a map of keys, not "one" \(a text\): write \{ name: no-port, load: \{ strategy: bind-no-port \} \}$/,
  },
  {
    title: 'an unknown key at the top',
    text: add('variant: []'),
    place: 'variant:8',
    message: /unknown key "variant"; allowed here: .*did you mean variants\?/,
  },
  {
    title: 'a mistyped key of the load',
    text: load('stratgey: bind'),
    place: 'load.stratgey:4',
    message: /unknown key "stratgey".*did you mean strategy\?/,
  },
  {
    title: 'a key in the wrong place',
    text: edit('- name: one', '- { name: one, strategy: bind }'),
    place: 'variants[0].strategy:7',
    message: /unknown key "strategy"; allowed here: name, description, subject, sysctls, roles, load, /,
  },
  {
    title: 'a merge key',
    text: edit('- name: one', '- { name: one, <<: { description: x } }'),
    place: 'variants[0]["<<"]:7',
    message: /unknown key "<<"/,
  },
  {
    title: 'a list as the name',
    text: edit('name: good', 'name: [good]'),
    place: 'name:1',
    message: /^name must be a text \(names the result folder\), not a list: write "name: my-experiment"$/,
  },
  {
    title: 'a name with capitals',
    text: edit('name: good', 'name: My Profile'),
    place: 'name:1',
    message:
      /^"My Profile" is not a name: use 1 to 63 lower-case letters, digits, dots and dashes, starting with a letter or digit$/,
  },
  {
    title: 'a name that is a path',
    text: edit('name: good', 'name: ../../etc/passwd'),
    place: 'name:1',
    message:
      /^"\.\.\/\.\.\/etc\/passwd" is not a name: use 1 to 63 lower-case letters, digits, dots and dashes, starting with a letter or digit$/,
  },
  {
    title: 'a name with an escape sequence',
    text: edit('name: good', 'name: "a\\e[2Jb"'),
    place: 'name:1',
    message: /^"a\\u001b\[2Jb" is not a name: use 1 to 63 /,
  },
  {
    title: 'repeat as a text',
    text: add('repeat: "6"'),
    place: 'repeat:8',
    message:
      /^repeat must be a number \(maximum number of pairs of runs per variant; a variant that is decided gets no more\), not "6" \(a text\): write "repeat: 10"$/,
  },
  {
    title: 'repeat with a fraction',
    text: add('repeat: 1.5'),
    place: 'repeat:8',
    message:
      /^repeat must be a whole number \(maximum number of pairs of runs per variant; a variant that is decided gets no more\), not 1\.5 \(a number\): write "repeat: 10"$/,
  },
  {
    title: 'repeat of zero',
    text: add('repeat: 0'),
    place: 'repeat:8',
    message:
      /^repeat must be at least 1 \(maximum number of pairs of runs per variant; a variant that is decided gets no more\), not 0 \(a number\): write "repeat: 10"$/,
  },
  {
    title: 'repeat of a million',
    text: add('repeat: 1000000'),
    place: 'repeat:8',
    message:
      /^repeat must be at most 1000 \(maximum number of pairs of runs per variant; a variant that is decided gets no more\), not 1000000 \(a number\): write "repeat: 10"$/,
  },
  {
    title: 'a negative seed',
    text: add('seed: -1'),
    place: 'seed:8',
    message:
      /^seed must be at least 0 \(of the order of runs, the arrivals and the picks\), not -1 \(a number\): write "seed: 1"$/,
  },
  {
    title: 'a seed that is not a number',
    text: add('seed: .nan'),
    place: 'seed:8',
    message:
      /^seed must be a number \(of the order of runs, the arrivals and the picks\), not NaN \(a number\): write "seed: 1"$/,
  },
  {
    title: 'no value behind a key',
    text: add('repeat:'),
    place: 'repeat:8',
    message:
      /^repeat has no value; it must be a number \(maximum number of pairs of runs per variant; a variant that is decided gets no more\): write "repeat: 10"$/,
  },
  {
    title: 'an unknown lab',
    text: add('lab: { kind: docker }'),
    place: 'lab.kind:8',
    message: /^kind must be one of netns, vm, vagrant, host, not "docker" \(a text\)$/,
  },
  {
    title: 'a box that is to be left in an unknown state',
    text: add('lab: { kind: vagrant, after: halt }'),
    place: 'lab.after:8',
    message: /^after must be one of destroy, revert, keep, not "halt" \(a text\)$/,
  },
  {
    title: 'an unknown engine',
    text: add('lab: { kind: vm, engine: xen }'),
    place: 'lab.engine:8',
    message: /^engine must be one of uml, qemu, not "xen" \(a text\)$/,
  },
  {
    title: 'an unknown subject',
    text: add('subject: { kind: varnish }'),
    place: 'subject.kind:8',
    message: new RegExp(`^kind must be one of ${SUBJECT_KINDS.join(', ')}, not "varnish" \\(a text\\)$`),
  },
  {
    title: 'allowHostChanges: yes',
    text: add('allowHostChanges: yes'),
    place: 'allowHostChanges:8',
    message: /^"yes" is a text in YAML 1\.2: write true$/,
  },
];
