// needs: squid, haproxy, nginx, libnginx-mod-stream, tinyproxy-bin, microsocks
/**
 * Proxies of this machine, and of another Debian suite, in guests of User-Mode Linux: each holds as many connections on each kernel as the
 * model says, and no more.
 */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { type GuestWithSubjects, guestWith } from '../../support/guest-subjects.js';
import { KERNEL, SKIP } from '../../support/guests.js';

/** P = 20, S = 2 but for those that have one address, D = 2. */
const HELD = {
  squid: 40,
  'squid, suite: trixie': 80,
  'haproxy, mode: tcp': 80,
  'nginx, mode: tcp': 80,
  tinyproxy: 40,
  microsocks: 20,
} as const;
const SUBJECTS = Object.keys(HELD) as (keyof typeof HELD)[];

for (const kernel of [KERNEL])
  describe(`proxies on the kernel of ${kernel}`, SKIP, () => {
    let guest: Promise<GuestWithSubjects> | undefined;
    after(async () => (await guest)?.release());

    for (const subject of SUBJECTS)
      it(`${subject}: ${HELD[subject]}`, async () => {
        guest ??= guestWith({ engine: 'uml', kernel }, SUBJECTS);
        const { run, predicted } = await (await guest).held(subject);
        assert.equal(predicted, HELD[subject]);
        assert.equal(run.outcomes.ok, HELD[subject], JSON.stringify(run.outcomes));
        assert.equal(run.capacity.tuples, HELD[subject]);
      });
  });
