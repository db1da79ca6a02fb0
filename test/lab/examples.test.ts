// needs: strace, curl, tinyproxy-bin, python3-requests, golang-go, default-jdk-headless, postgresql, pgbouncer
/**
 * The examples, arm by arm: what they say of themselves is so.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { readProfile } from '../../src/commands/profile-file.js';
import { findProgram } from '../../src/machine/programs.js';
import type { Outcomes } from '../../src/results/schema.js';
import { ROOT, scratchFolder } from '../support/cli.js';
import { measure } from '../support/lab.js';

const FOLDER = join(ROOT, 'examples');

/** P is 100, and where a request fails so does the call: 150 requests, of which the first 100 find a port. */
const FULL: Outcomes = { ok: 100, 'connect:EADDRNOTAVAIL': 50 };
const ALL: Outcomes = { ok: 150 };

/** What holds of the outcomes where a race decides their number. */
type Holds = (outcomes: Outcomes) => boolean;

interface Expected {
  /** Arm → outcomes, and connections that the origin got; null: they vary. */
  readonly arms: Readonly<Record<string, readonly [outcomes: Outcomes | Holds | null, connections: number]>>;
}

/**
 * pgbench ends at the first connection that has no port. Now and then the server closes a moment earlier, and then the port is free at once, so
 * that there were more connections than ports.
 */
const endsWithout =
  (ports: number): Holds =>
  ({ ok = 0, ...failures }) =>
    ok >= ports && Object.entries(failures).join() === 'connect:EADDRNOTAVAIL,1';

/**
 * Through pgbouncer: it closes as soon as it is told that its client ends. Where that is mostly before its client has closed, as with system calls
 * that are slow, ports are free at once, and all transactions, a look at the database and pgbouncer's own connection find one.
 */
const throughPooler =
  (ports: number): Holds =>
  (outcomes) =>
    endsWithout(ports)(outcomes) || JSON.stringify(outcomes) === '{"ok":1002}';

const EXAMPLES: Readonly<Record<string, Expected>> = {
  'node-http': {
    arms: { baseline: [FULL, 100], 'shared-agent': [ALL, 1], 'fin-timeout': [FULL, 100], 'wider-range': [ALL, 150] },
  },
  undici: { arms: { baseline: [FULL, 100], 'shared-pool': [ALL, 1] } },
  go: {
    arms: {
      // Go dials three times where connect() has no port.
      baseline: [{ ok: 100, 'connect:EADDRNOTAVAIL': 300 }, 100],
      // A request that waits for its own dial takes a connection that comes free meanwhile.
      drained: [null, 100],
      'large-pool': [{ ok: 100, 'connect:EADDRNOTAVAIL': 300 }, 100],
      'drained-and-large-pool': [{ ok: 200 }, 20],
    },
  },
  python: {
    arms: {
      baseline: [FULL, 100],
      session: [ALL, 1],
      'source-address': [{ ok: 100, 'bind:EADDRINUSE': 50 }, 100],
      'source-address-session': [ALL, 1],
    },
  },
  // Its client dials twice where connect() has no port.
  java: { arms: { baseline: [{ ok: 100, 'connect:EADDRNOTAVAIL': 100 }, 100], 'shared-client': [ALL, 1] } },
  curl: { arms: { baseline: [FULL, 100], 'one-command': [ALL, 1] } },
  tinyproxy: { arms: { baseline: [{ ok: 100, 'http:500': 50 }, 100], 'wider-range': [ALL, 150] } },
  pgbouncer: {
    arms: {
      baseline: [throughPooler(100), 0],
      // A look at the database first, the connection, and that of pgbouncer to the database.
      'one-connection': [{ ok: 3 }, 0],
      'without-pgbouncer': [endsWithout(100), 0],
      'wider-range': [throughPooler(200), 0],
    },
  },
  envoy: { arms: { baseline: [null, 100], 'wider-range': [ALL, 150] } },
};

describe('examples', () => {
  before(() => {
    // Debian's Python has requests; one that stands before it on the PATH may not.
    process.env.PATH = `/usr/bin:${process.env.PATH}`;
  });

  it('each has its test', () => {
    const profiles = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml'));
    assert.deepEqual(
      profiles.sort(),
      Object.keys(EXAMPLES)
        .map((name) => `${name}.yaml`)
        .sort(),
    );
  });

  for (const [name, { arms }] of Object.entries(EXAMPLES)) {
    it(name, async (t) => {
      if (name === 'envoy' && findProgram('envoy') === undefined)
        return t.skip('there is no envoy here, and Debian has no package of it');
      if (name === 'go') buildGo(t);
      await hold(join(FOLDER, `${name}.yaml`), arms);
    });
  }

  it('the shipped profile of a program', () =>
    hold(join(ROOT, 'profiles/program-ports.yaml'), {
      baseline: [FULL, 100],
      'one-agent': [ALL, 1],
      'wider-range': [ALL, 150],
      'fin-timeout': [FULL, 100],
    }));
});

/** Each arm of a profile, once. */
async function hold(profile: string, arms: Expected['arms']): Promise<void> {
  const { experiment } = readProfile(profile, {});
  assert.deepEqual(
    experiment.arms.map((arm) => arm.name),
    Object.keys(arms),
  );
  for (const arm of experiment.arms) {
    const [outcomes, connections] = arms[arm.name]!;
    const run = await measure(arm);
    if (typeof outcomes === 'function')
      assert.ok(outcomes(run.outcomes), `${arm.name}: ${JSON.stringify(run.outcomes)}`);
    else if (outcomes !== null) assert.deepEqual(run.outcomes, outcomes, arm.name);
    assert.equal(run.origin?.accepted, connections, arm.name);
    assert.deepEqual(run.problems, [], arm.name);
  }
}

function buildGo(t: TestContext): void {
  const cache = scratchFolder(t);
  const { status, stderr } = spawnSync('go', ['build', 'poll.go'], {
    cwd: join(FOLDER, 'go'),
    env: { ...process.env, HOME: cache, GOCACHE: join(cache, 'cache'), GOFLAGS: '-mod=mod' },
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
}
