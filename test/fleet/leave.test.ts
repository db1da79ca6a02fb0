import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Leave, refusalOf } from '../../src/fleet/agent/leave.js';
import { proxySubjectOf } from '../../src/subjects/index.js';
import { labArm } from '../support/lab.js';

const NOTHING: Leave = { allow: [], programs: false, host: false };
const arm = labArm({ load: { arrival: { shape: 'constant', rate: 1, durationMs: 1000 } } });
const target = { address: '192.0.2.10', port: 3128 };

describe('what an agent may do for a fleet', () => {
  it('is everything in a throwaway lab, and nothing else, unless it was told so', () => {
    assert.equal(refusalOf({ lab: 'netns', arms: [arm] }, NOTHING), null);
    assert.match(refusalOf({ lab: 'host', arms: [arm] }, NOTHING)!, /--allow-host/);
    assert.equal(refusalOf({ lab: 'host', arms: [arm] }, { ...NOTHING, host: true }), null);
  });

  it('is to load a target only where exactly that was allowed', () => {
    const external = { ...arm, destinations: { kind: 'external' as const, targets: [target] } };
    for (const loaded of [external, { ...arm, via: target }]) {
      const may = (allow: Leave['allow']) =>
        refusalOf({ lab: 'host', arms: [arm, loaded] }, { allow, programs: false, host: true });
      assert.match(may([])!, /may not load 192\.0\.2\.10:3128/);
      assert.match(
        may([
          { ...target, port: 3129 },
          { ...target, address: '192.0.2.11' },
        ])!,
        /may not load/,
      );
      assert.equal(may([target]), null);
    }
  });

  it('is to run a proxy as Debian has it, but no command, other program or configuration of a profile', () => {
    const squid = proxySubjectOf('squid').defaults;
    const of = (proxy: object) =>
      refusalOf({ lab: 'netns', arms: [{ ...arm, proxy: proxy as typeof squid }] }, NOTHING);
    assert.equal(of(squid), null);
    assert.match(of({ ...squid, binary: '/tmp/x' })!, /names the program \/tmp\/x.*--allow-programs/);
    assert.match(of({ ...squid, base: { path: 'squid.conf', text: '' } })!, /a configuration of its own/);
    assert.match(of({ ...proxySubjectOf('program').defaults, command: ['sh'] })!, /a command/);
  });
});
