/**
 * Bad profiles: missing and unknown keys, and values of the wrong type.
 */
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
    message: /found a list of 0 items; expected at least 1 in the list: write "variants: /,
  },
  {
    title: 'a map instead of the list of variants',
    text: edit('  - name: one', '  name: one'),
    place: 'variants:7',
    message: /found a map of keys; expected a list: write /,
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
    message: /found "one" \(a text\); expected a map of keys: write \{ name/,
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
    message: /found a list; expected a text.*: write "name: /,
  },
  {
    title: 'a name with capitals',
    text: edit('name: good', 'name: My Profile'),
    place: 'name:1',
    message: /found "My Profile"; a name is 1 to 63 lower-case letters/,
  },
  {
    title: 'a name that is a path',
    text: edit('name: good', 'name: ../../etc/passwd'),
    place: 'name:1',
    message: /a name is 1 to 63 lower-case letters/,
  },
  {
    title: 'a name with an escape sequence',
    text: edit('name: good', 'name: "a\\e[2Jb"'),
    place: 'name:1',
    message: /found "a\\u001b\[2Jb"; a name is/,
  },
  {
    title: 'repeat as a text',
    text: add('repeat: "6"'),
    place: 'repeat:8',
    message: /found "6" \(a text\); expected a number \(pairs of runs per variant\): write "repeat: 10"/,
  },
  {
    title: 'repeat with a fraction',
    text: add('repeat: 1.5'),
    place: 'repeat:8',
    message: /found 1\.5 \(a number\); expected a whole number/,
  },
  {
    title: 'repeat of zero',
    text: add('repeat: 0'),
    place: 'repeat:8',
    message: /found 0 \(a number\); expected at least 1/,
  },
  { title: 'repeat of a million', text: add('repeat: 1000000'), place: 'repeat:8', message: /expected at most 1000/ },
  {
    title: 'a negative seed',
    text: add('seed: -1'),
    place: 'seed:8',
    message: /found -1 \(a number\); expected at least 0/,
  },
  {
    title: 'a seed that is not a number',
    text: add('seed: .nan'),
    place: 'seed:8',
    message: /found NaN \(a number\); expected a number.*: write "seed: 1"/,
  },
  {
    title: 'no value behind a key',
    text: add('repeat:'),
    place: 'repeat:8',
    message: /found nothing; expected a number/,
  },
  {
    title: 'an unknown lab',
    text: add('lab: { kind: docker }'),
    place: 'lab.kind:8',
    message: /found "docker" \(a text\); allowed are netns, vm, vagrant, host: write one of these/,
  },
  {
    title: 'a box that is to be left in an unknown state',
    text: add('lab: { kind: vagrant, after: halt }'),
    place: 'lab.after:8',
    message: /found "halt" \(a text\); allowed are destroy, revert, keep/,
  },
  {
    title: 'an unknown engine',
    text: add('lab: { kind: vm, engine: xen }'),
    place: 'lab.engine:8',
    message: /found "xen" \(a text\); allowed are uml, qemu: write one of these/,
  },
  {
    title: 'an unknown subject',
    text: add('subject: { kind: varnish }'),
    place: 'subject.kind:8',
    message: /found "varnish" \(a text\); allowed are direct, squid/,
  },
  {
    title: 'allowHostChanges: yes',
    text: add('allowHostChanges: yes'),
    place: 'allowHostChanges:8',
    message: /found "yes"; in YAML 1\.2 this is a text: write true/,
  },
];
