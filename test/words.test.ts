/**
 * The English of what users read: messages, help, pages, and the texts of profiles and fixes. The patterns are those of a dialect that has crept in before: inversions,
 * relative clauses that hide the verb, and words that say «for example» only to their author. What cannot be looked for is in CONTRIBUTING.md.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { ROOT } from './support/cli.js';

interface Rule {
  readonly never: RegExp;
  readonly instead: string;
  /** What it finds, so that a rule that finds nothing any more is seen. */
  readonly finds: string;
}

const RULES: readonly Rule[] = [
  {
    never: /, which (?:[\w’'`.${}-]+ ){0,6}(?:is|are|was|were|has|have|does|do|can|could) not(?=[,.;:'"`]|$)/,
    instead: 'the subject first: «squid has no setting "mode"»',
    finds: 'the profile names mode, which squid has not; remove it',
  },
  {
    never: /(?<!\b[Tt]here) (?:is|are|was|were) no (?!longer|more|less|fewer|better|worse|different)[a-z]+/,
    instead: '«is not a …»',
    finds: 'this is no proxy',
  },
  { never: /\b(?:has|have) not(?=[,.;:)])/, instead: '«has none», or the verb', finds: 'the proxy has not.' },
  { never: /\bfor ever\b/, instead: '«sustained», or «without end»', finds: 'a rate that holds for ever' },
  { never: /\bat the (?:most|least)\b(?! \w+ing)/, instead: '«at most», «at least»', finds: 'two at the most' },
  { never: /\bbehind --/, instead: '«after --»', finds: 'the command, behind --' },
  {
    never: /[,(] ?as ["`“]?(?:\d|\.\/|https?:|--|\[)/,
    instead: '«for example», «such as»',
    finds: 'use private addresses, as 10.50.0.0/24',
  },
  {
    never: /\bof which [^.;:]{0,60} (?:is|are) made\b|\bis made no more\b/,
    instead: 'the subject first',
    finds: 'an arm of which no more runs are made',
  },
  { never: /\b(?:thereof|whereof|wherein|hereby|anew|so as to)\b/, instead: 'a word of today', finds: 'start anew' },
  { never: /\bto have its \w+ anew\b|\ball the same\?/, instead: '«again», «anyway»', finds: 'run it all the same?' },
  {
    never: /\bfound [^.;:]{1,40}, which\b/,
    instead: 'what is wrong, then what is allowed',
    finds: 'found mode, which is unknown',
  },
  {
    never: /\bdoes not tell\b(?! (?:\w+ )?(?:from|which|whether|how|what|where|who))/,
    instead: '«does not say», «does not name»',
    finds: 'the log does not tell',
  },
];

/** Texts for developers, made of the terms of their field, and what others wrote. */
const QUOTED = /\b(?:throw new (?:Type|Range)?Error\()/;

function files(folder: string, extension: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(extension))
    .map((name) => join(folder, name));
}

/** A line's string literals, roughly: whatever is no comment on a line with a quote. */
function messagesIn(path: string): string[] {
  return readFileSync(join(ROOT, path), 'utf8')
    .split('\n')
    .filter((line) => !/^\s*(?:\*|\/\/|\/\*)/.test(line) && /['"`]/.test(line) && !QUOTED.test(line))
    .map((line) => line.replace(/\s\/\/ .*$/, ''));
}

/** A page without what it quotes from programs. */
function proseOf(path: string): string[] {
  const text = readFileSync(join(ROOT, path), 'utf8').replaceAll(/^```[\s\S]*?^```$/gm, '');
  return text.split(/\n\s*\n/).map((paragraph) => paragraph.replaceAll(/\s+/g, ' '));
}

function faultsIn(path: string, texts: readonly string[]): string[] {
  return texts.flatMap((text) =>
    RULES.flatMap(({ never, instead }) => {
      const found = never.exec(text);
      return found
        ? [`${path}: “…${text.slice(Math.max(0, found.index - 60), found.index + 60).trim()}…”: ${instead}`]
        : [];
    }),
  );
}

it('each rule finds what it is for', () => {
  for (const { never, finds } of RULES) assert.match(finds, never);
});

it('messages, help and settings are plain English', () => {
  assert.deepEqual(
    files('src', '.ts').flatMap((path) => faultsIn(path, messagesIn(path))),
    [],
  );
});

it('profiles and fixes are plain English', () => {
  assert.deepEqual(
    ['profiles', 'fixes']
      .flatMap((folder) => files(folder, '.yaml'))
      .flatMap((path) => faultsIn(path, [readFileSync(join(ROOT, path), 'utf8').replaceAll(/\s+#?\s*/g, ' ')])),
    [],
  );
});

it('the pages are plain English', () => {
  const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'bench/README.md', ...files('docs', '.md')];
  assert.deepEqual(
    pages.flatMap((path) => faultsIn(path, proseOf(path))),
    [],
  );
});
