import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../src/commands/exit.js';
import { copyProfile, findProfile, readProfile, shippedProfiles } from '../../src/commands/profile-file.js';
import { ProfileError } from '../../src/profile/problem.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SHIPPED = join(ROOT, 'profiles');
const GOOD = `name: mine
addresses: 10.50.0.0/24
load: { arrival: { shape: constant, rate: 100/s, duration: 1s } }
variants: [{ name: a }]
`;

const home = process.cwd();
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bindstorm-profile-'));
});
afterEach(() => {
  process.chdir(home);
  rmSync(dir, { recursive: true, force: true });
});

describe('finding a profile', () => {
  it('by the name of one that ships', () => {
    assert.ok(shippedProfiles().includes('quickstart'));
    assert.deepEqual(shippedProfiles(), [...shippedProfiles()].sort());
    for (const name of shippedProfiles()) assert.equal(resolve(findProfile(name)), join(SHIPPED, `${name}.yaml`));
  });

  it('shown as it is typed from here, or whole from elsewhere', () => {
    process.chdir(ROOT);
    assert.equal(findProfile('quickstart'), 'profiles/quickstart.yaml');
    process.chdir(dir);
    assert.ok(isAbsolute(findProfile('quickstart')));
  });

  it('by path, wherever it is', () => {
    const path = join(dir, 'mine.yaml');
    writeFileSync(path, GOOD);
    assert.equal(findProfile(path), path);
    process.chdir(dir);
    assert.equal(findProfile('mine.yaml'), 'mine.yaml');
    assert.equal(findProfile('./mine.yaml'), './mine.yaml');
  });

  it('one that ships is meant before a file of the same name, which ./ reaches', () => {
    writeFileSync(join(dir, 'quickstart'), GOOD);
    process.chdir(dir);
    assert.equal(findProfile('quickstart'), join(SHIPPED, 'quickstart.yaml'));
    assert.equal(readProfile('./quickstart', {}).experiment.name, 'mine');
  });

  it('that is nowhere says which ship', () => {
    for (const name of ['no-such', '', 'quickstart.yml', '../quickstart']) {
      assert.throws(
        () => findProfile(name),
        (error) => {
          assert.ok(error instanceof UserError);
          assert.match(error.message, /^there is no profile .*neither a file nor a shipped one \(.*quickstart/);
          return true;
        },
      );
    }
  });
});

describe('copying a profile', () => {
  const schemaOf = (path: string) => /^# yaml-language-server: \$schema=(.*)$/m.exec(readFileSync(path, 'utf8'))![1]!;

  it('keeps all but the address of the schema, which leads to the file from wherever the copy is', () => {
    const below = join(dir, 'below');
    mkdirSync(below);
    for (const cwd of [ROOT, dir])
      for (const to of [dir, below, join(ROOT, 'dist')]) {
        process.chdir(cwd);
        const path = join(relative(cwd, to), 'my-squid.yaml');
        try {
          copyProfile('squid-2014', path);
          const schema = schemaOf(path);
          assert.ok(statSync(resolve(to, schema)).isFile(), schema);
          assert.equal(isAbsolute(schema), !(cwd === ROOT && to.startsWith(ROOT)), schema);
          assert.equal(
            readFileSync(path, 'utf8').replace(schema, '../schema/profile.schema.json'),
            readFileSync(join(SHIPPED, 'squid-2014.yaml'), 'utf8'),
          );
          assert.equal(readProfile(`./${path}`, {}).experiment.name, 'squid-2014');
        } finally {
          rmSync(path, { force: true });
        }
      }
  });

  it('writes over no file, and says what to do', () => {
    const path = join(dir, 'mine.yaml');
    writeFileSync(path, GOOD);
    assert.throws(() => copyProfile('quickstart', path), {
      name: 'UserError',
      message: /mine\.yaml is there already; .*--to/,
    });
    assert.equal(readFileSync(path, 'utf8'), GOOD);
    assert.throws(() => copyProfile('quickstart', join(dir, 'none', 'x.yaml')), {
      name: 'UserError',
      message: /the copy cannot .*ENOENT.*--to/,
    });
    assert.throws(() => copyProfile(path, join(dir, 'x.yaml')), {
      name: 'UserError',
      message: /no shipped profile .*quickstart/,
    });
  });

  it('of every one that ships works, for each says where its schema is', () => {
    for (const name of shippedProfiles())
      assert.equal(schemaOf(findProfile(name)), '../schema/profile.schema.json', name);
  });
});

describe('reading a profile', () => {
  it('gives its text and what it comes to, with the options of the command line', () => {
    const path = join(dir, 'mine.yaml');
    writeFileSync(path, GOOD);
    const loaded = readProfile(path, { repeat: 3, seed: 9 });
    assert.deepEqual([loaded.file, loaded.text], [path, GOOD]);
    assert.deepEqual([loaded.experiment.name, loaded.experiment.repeat, loaded.experiment.seed], ['mine', 3, 9]);
    const shipped = readProfile('quickstart', {});
    assert.equal(shipped.text, readFileSync(join(SHIPPED, 'quickstart.yaml'), 'utf8'));
    assert.equal(shipped.file, relative(process.cwd(), join(SHIPPED, 'quickstart.yaml')));
  });

  it('names the place of a mistake by the path that was typed', () => {
    const path = join(dir, 'bad.yaml');
    writeFileSync(path, GOOD.replace('100/s', 'fast'));
    assert.throws(
      () => readProfile(path, {}),
      (error) => error instanceof ProfileError && error.message.startsWith(`${path}:3:`),
    );
  });

  it('refuses what is no file, and what is too large to be a profile', () => {
    mkdirSync(join(dir, 'folder.yaml'));
    assert.throws(() => readProfile(join(dir, 'folder.yaml'), {}), {
      name: 'UserError',
      message: /folder\.yaml is not a file; name a profile/,
    });
    const path = join(dir, 'large.yaml');
    writeFileSync(path, `${GOOD}#${'x'.repeat(256 * 1024)}\n`);
    assert.throws(() => readProfile(path, {}), {
      name: 'UserError',
      message: /large\.yaml has \d+ bytes; a profile may have at most 262144/,
    });
    writeFileSync(path, `${GOOD}${'#'.repeat(256 * 1024 - GOOD.length - 1)}\n`);
    assert.equal(readProfile(path, {}).experiment.name, 'mine');
  });
});
