// needs: zsh, fish, mandoc, groff-base
/**
 * The completion of each shell, by the shells themselves; and the manual page, by the two programs that show one.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, runCli, scratchFolder } from '../support/cli.js';

/** What is typed, and what it must, and must not, be completed to. */
const CASES: readonly (readonly [typed: string, offered: readonly string[], not: readonly string[]])[] = [
  ['bindstorm ex', ['explain'], ['run']],
  ['bindstorm run --resu', ['--resume'], ['--repeat']],
  ['bindstorm run --lab v', ['vagrant', 'vm'], ['netns']],
  ['bindstorm run quick', ['quickstart'], ['squid-2014']],
  ['bindstorm schema res', ['results'], ['profile']],
  ['bindstorm capacity --close ', ['client', 'server', 'reset'], []],
  ['bindstorm watch --wall a', ['auto'], []],
  ['bindstorm completion f', ['fish'], ['bash']],
];

/** The script of a shell, in a folder. */
async function script(t: Parameters<typeof scratchFolder>[0], shell: string): Promise<string> {
  const { code, stdout, stderr } = await runCli(['completion', shell], { cwd: ROOT });
  assert.equal(code, 0, stderr);
  const path = join(scratchFolder(t), `completion.${shell}`);
  writeFileSync(path, stdout);
  return path;
}

function shellOutput(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 30_000 });
  assert.equal(status, 0, error?.message ?? stderr);
  assert.equal(stderr, '', `${command} says nothing else`);
  return stdout;
}

test('bash', async (t) => {
  const path = await script(t, 'bash');
  const complete = (typed: string) =>
    shellOutput('bash', [
      '--norc',
      '-c',
      `source "$1"; complete -p bindstorm >/dev/null || exit 9
COMP_WORDS=($2); [[ $2 == *' ' ]] && COMP_WORDS+=(''); COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
_bindstorm; printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      path,
      typed,
    ]).split('\n');
  for (const [typed, offered, not] of CASES) check(typed, complete(typed), offered, not);
  assert.deepEqual(complete('bindstorm run --lab = ho'), ['host', ''], 'as bash takes --lab=ho apart');
  assert.deepEqual(complete('bindstorm try -- '), ['', ''], 'what comes behind -- is not ours');
});

test('fish', async (t) => {
  const path = await script(t, 'fish');
  const complete = (typed: string) =>
    shellOutput('fish', ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', path, typed])
      .split('\n')
      .map((line) => line.split('\t')[0]!);
  for (const [typed, offered, not] of CASES) check(typed, complete(typed), offered, not);
});

test('zsh', async (t) => {
  const path = await script(t, 'zsh');
  const driver = join(scratchFolder(t), 'driver.zsh');
  // A terminal of its own, in which the completion's builtin that adds matches prints them.
  writeFileSync(
    driver,
    `zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PROMPT= RPROMPT= ; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D; source $1"
zpty -w z 'compadd() { local -a found; builtin compadd -O found "$@"; print -rl -- "<m>"$^found; builtin compadd "$@"; }'
zpty -w z 'finish() { zle kill-whole-line; print "<end>" }; zle -N finish; bindkey "^X" finish; bindkey "^I" list-choices; print "<"ready">"'
zpty -r z text '*<ready>*' || exit 8
for typed in "\${@:2}"; do
  zpty -w -n z "$typed"$'\\t\\x18'
  zpty -r z text '*<end>*' || exit 9
  print -r -- "== $typed"; print -r -- "$text"
done
zpty -d z
`,
  );
  const said = shellOutput('zsh', ['-f', driver, path, ...CASES.map(([typed]) => typed)]);
  const parts = new Map(said.split(/^== /m).map((part) => [part.slice(0, part.indexOf('\n')), part] as const));
  for (const [typed, offered, not] of CASES) {
    const found = [...(parts.get(typed) ?? '').matchAll(/<m>(\S*)/g)].map(([, word]) => word!.replace(/:.*$/, ''));
    check(typed, found, offered, not);
  }
});

function check(typed: string, found: readonly string[], offered: readonly string[], not: readonly string[]): void {
  for (const word of offered) assert.ok(found.includes(word), `"${typed}" offers ${word}: ${found.join(' ')}`);
  for (const word of not) assert.ok(!found.includes(word), `"${typed}" does not offer ${word}`);
}

const PAGE = join(ROOT, 'dist', 'bundle', 'man', 'bindstorm.1');

test('mandoc finds nothing to warn of in the manual page', () => {
  const { status, stdout } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', PAGE], { encoding: 'utf8' });
  assert.equal(stdout, '');
  assert.equal(status, 0);
});

test('groff shows the manual page without a warning, with every command and the exit codes', () => {
  const { stdout, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-rLL=100n', PAGE], {
    encoding: 'utf8',
    env: { ...process.env, GROFF_NO_SGR: '1' },
  });
  assert.equal(stderr, '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: bold is struck over
  const text = stdout.replace(/.\x08/g, '');
  for (const words of [
    /bindstorm run \[options\] \[profile\]/,
    /--lab <kind>/,
    /EXIT STATUS\n +0 +everything ran/,
    /^ +watch$/m,
  ])
    assert.match(text, words);
});
