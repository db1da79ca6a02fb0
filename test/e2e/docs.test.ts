// needs: squid, haproxy
/**
 * The commands of the documentation, run by a test: those that only think are run as they stand, with the profiles that the page has
 * told its reader to write; of the others the command, its options and its profile are checked, since they take minutes, a proxy of
 * somebody's or another machine.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadProfile } from '../../src/profile/load.js';
import { ROOT, runCli } from '../support/cli.js';

interface Page {
  readonly name: string;
  /** File name → text, of the profiles that the page shows with a name in their first line. */
  readonly profiles: ReadonlyMap<string, string>;
  /** Words of each command of a block that begins with bindstorm. */
  readonly commands: readonly (readonly string[])[];
  /** The same of those that a sentence names: their profiles and folders are anybody's. */
  readonly named: readonly (readonly string[])[];
}

const cwd = mkdtempSync(join(tmpdir(), 'bindstorm-test-'));
after(() => rmSync(cwd, { recursive: true, force: true }));

const names = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
const PAGES = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...names].map(readPage);

function readPage(name: string): Page {
  const text = readFileSync(join(ROOT, name), 'utf8');
  const blocks = [...text.matchAll(/^( *)```(sh|yaml)\n([\s\S]*?)^ *```$/gm)].map(([, indent, language, body]) => ({
    language,
    body: body!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
  const profiles = blocks.flatMap(({ language, body }): [string, string][] => {
    const file = /^# ([\w-]+\.yaml)\n/.exec(body)?.[1];
    return language === 'yaml' && file ? [[file, body]] : [];
  });
  // What stands behind a pipe, as `… | bindstorm explain`, reads what the page does not have.
  const commands = [
    ...blocks.flatMap(({ language, body }) => (language === 'sh' ? body.split('\n') : [])),
    ...indented(text),
  ]
    .map((line) => /^(?:\.\/)?bindstorm (.*)$/.exec(line)?.[1])
    .flatMap((command) => (command === undefined ? [] : [wordsOf(command)]));
  return { name, profiles: new Map(profiles), commands, named: namedIn(text) };
}

/** Lines of blocks that are indented instead of fenced. */
function indented(text: string): string[] {
  return [...text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/^(?: {4}| {6})(\S.*)$/gm)].map(
    ([, line]) => line!,
  );
}

/** Words of each command that is named in a sentence: as `bindstorm report <folder>` there, placeholders and all. */
function namedIn(text: string): string[][] {
  return [...text.matchAll(/`(?:\.\/)?bindstorm ([^`]+)`/g)].map(([, command]) =>
    wordsOf(command!.replaceAll(/\s+/g, ' ')),
  );
}

/** A line as a shell splits it, its comment and what it does with the output left out. */
function wordsOf(line: string): string[] {
  const words = line.match(/(?:'[^']*'|"(?:\$\([^)]*\)|[^"])*"|[^\s'"])+/g) ?? [];
  const comment = words.findIndex((word) => word.startsWith('#') || word === '>');
  return words.slice(0, comment < 0 ? undefined : comment).map((word) => word.replace(/^(['"])(.*)\1$/, '$2'));
}

/** They open no connection, and take a second or two. */
const THINKING = new Set(['plan', 'capacity', 'explain', 'profiles', 'schema']);
/** A machine of the reader's own, or a kernel that would have to be fetched. */
const ELSEWHERE = ['--lab', '--kernel'];

let help: ReadonlyMap<string, string>;

before(async () => {
  const helpOf = async (words: readonly string[]) => (await runCli([...words, '--help'], { cwd })).stdout;
  const texts = await Promise.all(
    commandsIn(await helpOf([])).map(async (command): Promise<(readonly [string, string])[]> => {
      const text = await helpOf([command]);
      const below = commandsIn(text).map(
        async (each) => [`${command} ${each}`, await helpOf([command, each])] as const,
      );
      return [[command, text], ...(await Promise.all(below))];
    }),
  );
  help = new Map(texts.flat());
});

/** The commands that a help lists. */
function commandsIn(text: string): string[] {
  const list = /^Commands:\n([\s\S]*?)(?:\n\n|$(?![\s\S]))/m.exec(text)?.[1] ?? '';
  return [...list.matchAll(/^ {2}([a-z][\w-]*)/gm)].map(([, command]) => command!).filter((name) => name !== 'help');
}

describe('the reader of pages', () => {
  it('finds commands and profiles, and splits words as a shell does', () => {
    assert.deepEqual(wordsOf(`explain 'a b' --json "c d"  # why`), ['explain', 'a b', '--json', 'c d']);
    assert.deepEqual(wordsOf('watch --pid "$(pidof -s squid)"'), ['watch', '--pid', '$(pidof -s squid)']);
    const all = PAGES.flatMap(({ commands }) => commands);
    assert.ok(all.length > 30, `${all.length} commands`);
    assert.ok(all.filter(([command]) => THINKING.has(command!)).length > 8);
    assert.ok(PAGES.flatMap(({ profiles }) => [...profiles.keys()]).length >= 4);
  });
});

for (const { name, profiles, commands, named } of PAGES) {
  if (commands.length === 0 && profiles.size === 0 && named.length === 0) continue;
  describe(name, () => {
    for (const [file, text] of profiles) {
      it(`shows a profile that is valid: ${file}`, () => {
        writeFileSync(join(cwd, file), text);
        // Addresses of documentation (RFC 5737) are refused on purpose: here they are somebody's.
        loadProfile(text.replaceAll('192.0.2.', '10.20.0.').replaceAll('198.51.100.', '10.21.0.'), file);
      });
    }
    if (named.length > 0)
      it('names commands and options that there are', () => {
        for (const words of named) assertThere(words);
      });
    for (const words of commands) {
      const [command, ...rest] = words as [string, ...string[]];
      it(`bindstorm ${words.join(' ')}`, async () => {
        assertThere(words);
        const profile = ['run', 'plan'].includes(command) ? rest.find((word) => !word.startsWith('-')) : undefined;
        if (profile?.endsWith('.yaml') && command === 'run') assertKnown(profile, profiles);
        if (!THINKING.has(command) || rest.some((word) => ELSEWHERE.includes(word) && command === 'plan')) return;
        if (profile?.endsWith('.yaml') && !profiles.has(profile)) return assertKnown(profile, profiles);
        const { code, stderr } = await runCli(words, { cwd });
        assert.equal(code, 0, stderr);
      });
    }
  });
}

describe('the help', () => {
  it('has examples with options that there are', () => {
    for (const [command, text] of help) {
      const examples = [...text.matchAll(/^ {2}bindstorm (.*)$/gm)].map(([, line]) => wordsOf(line!));
      assert.ok(examples.length > 0, `${command} has no example`);
      for (const words of examples) assertThere(words);
    }
  });
});

/** A command that there is, with options that it has. */
function assertThere([command, ...rest]: readonly string[]): void {
  if (command!.startsWith('-') || command === '…') return;
  assert.ok(help.has(command!), `there is a command ${command}`);
  const below = `${command} ${rest[0]}`;
  const name = help.has(below) ? below : command!;
  for (const option of rest.filter((word) => word.startsWith('--')))
    assert.match(help.get(name)!, new RegExp(`^ +(?:-\\w, )?${option}\\b`, 'm'), `${name} ${option}`);
}

/** The profiles that a reader is told to write without the page showing them whole: one in README, one by copying a template. */
const OWN = new Set(['my-proxy.yaml', 'my-staging.yaml', 'profile.yaml']);

function assertKnown(profile: string, profiles: ReadonlyMap<string, string>): void {
  assert.ok(profiles.has(profile) || OWN.has(profile), `${profile} is shown on the page`);
}
