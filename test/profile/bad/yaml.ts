/**
 * Bad profiles: what YAML itself refuses, and what it would allow and we do not.
 */
import { add, type BadProfile, edit, GOOD_PROFILE } from './bad-profile.js';

/** "Billion laughs": each level stands for nine of the one before. */
const BOMB = `a: &a [x,x,x,x,x,x,x,x,x]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']
  .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(', ')}]`)
  .join('\n')}\n`;

export const YAML: readonly BadProfile[] = [
  {
    title: 'an empty file',
    text: '',
    place: ':1',
    message: /^the file is empty; a profile is a map of keys: start with a line such as "name: my-experiment"$/,
  },
  {
    title: 'only a comment',
    text: '# nothing\n',
    place: ':1',
    message: /^the file is empty; a profile is a map of keys: start with a line such as "name: my-experiment"$/,
  },
  {
    title: 'a list instead of a map',
    text: '- name: x\n- name: y\n',
    place: ':1',
    message: /^a profile must be a map of keys, not a list: start with a line such as "name: my-experiment"$/,
  },
  {
    title: 'a bare word',
    text: 'quickstart\n',
    place: ':1',
    message:
      /^a profile must be a map of keys, not "quickstart" \(a text\): start with a line such as "name: my-experiment"$/,
  },
  {
    title: 'a bracket that never closes',
    text: edit('duration: 1s }', 'duration: 1s'),
    place: ':6',
    message: /not valid YAML: .*check indentation, quotes and brackets/,
  },
  {
    title: 'a tab as indentation',
    text: edit('  strategy', '\tstrategy'),
    place: ':4',
    message: /^YAML allows no tab in indentation: replace the tab by spaces$/,
  },
  { title: 'an open quote', text: edit('name: good', 'name: "good'), place: ':8', message: /not valid YAML/ },
  {
    title: 'a key written twice',
    text: add('name: again'),
    place: ':8',
    message: /^this map has the key already; keys must be unique: remove one of the two$/,
  },
  {
    title: 'a sysctl written twice',
    text: add('sysctls:\n  net.ipv4.tcp_tw_reuse: 1\n  net.ipv4.tcp_tw_reuse: 0'),
    place: ':10',
    message: /keys must be unique/,
  },
  {
    title: 'two documents',
    text: `${GOOD_PROFILE}---\n${GOOD_PROFILE}`,
    place: ':8',
    message: /second YAML document.*a file of its own/,
  },
  {
    title: 'an unknown tag',
    text: add('seed: !secret 3'),
    place: ':8',
    message: /^the tag !secret is not allowed: remove the word that starts with "!"$/,
  },
  {
    title: 'a JavaScript tag',
    text: add('description: !!js/function "function () {}"'),
    place: ':8',
    message: /^the tag tag:yaml\.org,2002:js\/function is not allowed: remove the word that starts with "!"$/,
  },
  {
    title: 'a binary tag',
    text: add('description: !!binary aGVsbG8='),
    place: ':8',
    message: /^the tag tag:yaml\.org,2002:binary is not allowed: remove the word that starts with "!"$/,
  },
  {
    title: 'an alias without an anchor',
    text: add('seed: *nowhere'),
    place: ':8',
    message: /^there is no &nowhere before \*nowhere: add the anchor or write the value$/,
  },
  {
    title: 'an alias inside its own anchor',
    text: add('guardrails: &all [capacity, *all]'),
    place: ':8',
    message: /^\*all is inside of what it stands for: write the value instead$/,
  },
  {
    title: 'an alias bomb',
    text: BOMB,
    place: ':2',
    message: /^aliases stand for more than 100 nodes; write the text out instead of aliasing aliases$/,
  },
  {
    title: 'brackets nested without end',
    text: `description: ${'['.repeat(50_000)}`,
    place: ':1',
    message: /nested too deep to read/,
  },
  {
    title: 'a file that is too large',
    text: `${GOOD_PROFILE}# ${'x'.repeat(262_144)}\n`,
    place: ':1',
    message: /^the file has 262287 bytes; a profile may have at most 262144: make it shorter$/,
  },
  {
    title: 'a list as a key',
    text: add('? [a, b]\n: c'),
    place: ':8',
    message: /^a list or map cannot be a key; keys are plain words: write key: value$/,
  },
  {
    title: 'the key __proto__',
    text: add('sysctls: { __proto__: { polluted: 1 } }'),
    place: ':8',
    message: /unknown key "__proto__"/,
  },
];
