/**
 * What this machine can do, each thing with its remedy: for `bindstorm doctor`.
 */
import { spawnSync } from 'node:child_process';
import { release } from 'node:os';
import { damagedSnapshots, staleSnapshots } from '../agent/place/host-guard.js';
import { descriptorLimit } from '../agent/place/limits.js';
import type { Check } from '../agent/protocol.js';
import { messageOf } from '../domain/error.js';
import { grouped } from '../domain/grouped.js';
import { STRATEGY_NAMES } from '../domain/strategy.js';
import { unsupportedPlatform } from '../kernel/libc.js';
import { findProgram, NATS_SERVER } from '../machine/programs.js';
import { stateDirectory } from '../machine/xdg.js';
import { examineProgram } from '../subjects/examine.js';
import { PROXY_KINDS, programOf, proxySubjectOf } from '../subjects/index.js';
import { tooFewDescriptors } from './agent-process.js';
import { type Finding, missing, ok, warning } from './finding.js';
import type { Lab } from './lab.js';
import { netnsLab } from './netns.js';
import { INTERNET_REMEDY, labRemedy, readOnlySysctls } from './remedy.js';
import { examineVagrant } from './vagrant/doctor.js';
import { examineVm } from './vm/doctor.js';

/**
 * Try everything that does not download anything; without the platform or its programs nothing further.
 * @param which `quick`: no guest is booted, and Vagrant, which takes seconds to say its version, is not asked
 */
export async function examineMachine(which: 'all' | 'quick' = 'all'): Promise<Finding[]> {
  const platform = unsupportedPlatform();
  if (platform !== undefined) return [missing('platform', platform, null)];
  const first: Finding[] = [
    ok('platform', `Linux ${release()} on ${process.arch}, Node ${process.versions.node}`),
    program('unshare', 'util-linux'),
    program('setpriv', 'util-linux'),
    descriptors(),
    hostState(),
  ];
  if (first.some(({ state }) => state === 'missing')) return first;
  const common = [...first, ...(await examineLab(netnsLab())), ...(await examineProxies())];
  if (which === 'quick') return [...common, ...(await examineVm({ boot: false }))];
  return [...common, ...(await examineVm()), ...(await examineVagrant()), fleetServer()];
}

function program(name: string, debianPackage: string): Finding {
  const { status, stdout } = spawnSync(name, ['--version'], { encoding: 'utf8' });
  if (status === 0) return ok(name, stdout.trim());
  return missing(name, 'not found', `install ${debianPackage}, for example with: apt-get install ${debianPackage}`);
}

/** Proxies are needed only by profiles that have one as their subject. */
function examineProxies(): Promise<Finding[]> {
  return Promise.all(
    PROXY_KINDS.map(async (kind) => {
      const found = await examineProgram(programOf(proxySubjectOf(kind).defaults));
      return found.ok
        ? ok(kind, `${found.version ?? 'of unknown version'} (${found.path})`)
        : warning(kind, 'not found: profiles with this subject cannot run', found.remedy);
    }),
  );
}

/** Only one machine of a fleet needs it. */
function fleetServer(): Finding {
  const path = findProgram(NATS_SERVER);
  if (path === undefined)
    return warning(
      NATS_SERVER,
      'not found: no fleet can be started here; this machine can be in one',
      `apt-get install --no-install-recommends ${NATS_SERVER}`,
    );
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return ok(NATS_SERVER, `${stdout.trim().replace('nats-server: v', '')} (${path}): \`bindstorm fleet up\` starts it`);
}

function descriptors(): Finding {
  const limit = descriptorLimit();
  const detail = `${grouped(limit)} per process: about ${grouped(Math.max(limit - 1000, 0))} connections held open at once`;
  if (limit >= 65_536) return ok('descriptors', detail);
  const few = tooFewDescriptors();
  if (few) return missing('descriptors', few.message, few.remedy);
  const remedy =
    'more held connections need a higher limit: ulimit -Hn, /etc/security/limits.conf or LimitNOFILE=. Short connections do not';
  return warning('descriptors', detail, remedy);
}

function hostState(): Finding {
  return staleSnapshots().length + damagedSnapshots().length === 0
    ? ok('host lab', `nothing to restore (${stateDirectory()})`)
    : warning('host lab', 'a killed host run has left sysctls changed', 'bindstorm restore');
}

async function examineLab(lab: Lab): Promise<Finding[]> {
  const begun = performance.now();
  let check: Check;
  try {
    check = await checkIn(lab);
  } catch (error) {
    return [missing('network namespaces', messageOf(error), labRemedy())];
  }
  const { veth, strategies, internetMissing: noInternet } = check;
  const [sysctl] = check.sysctls;
  const lacking = strategies.flatMap(({ name, missing: why }) => (why === null ? [] : [`${name} (${why})`]));
  return [
    ok('network namespaces', `${lab.description}, up and down in ${Math.round(performance.now() - begun)} ms`),
    veth.available
      ? ok('veth', 'client and origin get a namespace each')
      : warning('veth', `${veth.errno}: client and origin will share one namespace`, 'load the module: modprobe veth'),
    sysctl?.readBack
      ? ok('sysctls', 'writable in the namespace')
      : missing(
          'sysctls',
          `net.ipv4.ip_local_port_range cannot be written in a fresh namespace (${sysctl?.errno})`,
          readOnlySysctls(check)?.remedy ?? null,
        ),
    noInternet
      ? warning(
          'internet',
          `${noInternet}: bindstorm try, and programs that drive themselves, cannot run`,
          INTERNET_REMEDY,
        )
      : ok('internet', 'programs get one in the lab: TPROXY of nf_tables'),
    lacking.length === 0
      ? ok('strategies', `all ${STRATEGY_NAMES.length}`)
      : warning(
          'strategies',
          `not on this kernel: ${lacking.join(', ')}`,
          'leave these variants out, or use a newer kernel',
        ),
  ];
}

async function checkIn(lab: Lab): Promise<Check> {
  const session = await lab.open('check');
  session.send({
    type: 'check',
    sysctls: [['net.ipv4.ip_local_port_range', '40000 40099']],
    strategies: STRATEGY_NAMES,
    addresses: ['10.50.0.1'],
    clocks: false,
    internet: true,
  });
  const event = await session.next();
  await session.close();
  if (event.type === 'checked') return event.check;
  throw new Error(event.type === 'failed' ? event.message : `the agent answered ${event.type} to a check`);
}
