/**
 * The script that reserves the ports on which something listens: run by sh(1) in a network namespace with real listeners, where the folder of
 * sysctl.d is empty, so that nothing of this machine is written.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { applyOf } from '../../src/report/apply.js';
import { scratchFolder } from '../support/cli.js';
import { realSizeResults } from '../support/results.js';

const UNSHARE = ['--user', '--map-root-user', '--mount', '--net', '--'];
const noNamespace =
  (!existsSync('/etc/sysctl.d') && '/etc/sysctl.d does not exist') ||
  (spawnSync('unshare', [...UNSHARE, 'true']).status !== 0 && 'namespaces cannot be made here (unshare -rmn)');

/** Holds a socket of each sort, says `ready`, and ends with its standard input. */
const SERVICES = `
const [net, dgram] = [require('node:net'), require('node:dgram')];
const tcp = [[2000, '127.0.0.1'], [8125, '0.0.0.0'], [9090, '::'], [40100, '127.0.0.1'], [900, '127.0.0.1']];
const udp = [[5353, '0.0.0.0'], [8125, '0.0.0.0'], [40200, '0.0.0.0']];
const listening = [
  ...tcp.map(([port, host]) => new Promise((done) => net.createServer().listen({ port, host, ipv6Only: false }, done))),
  ...udp.map(([port, host]) => new Promise((done) => { const s = dgram.createSocket('udp4'); s.bind(port, host, done); })),
];
Promise.all(listening).then(() => { net.connect(8125, '127.0.0.1'); console.log('ready'); });
process.stdin.on('end', () => process.exit()).resume();
`;

/** Shell text in a namespace with the services; `reserve` is the script, `show` prints what is reserved. */
function withServices(t: TestContext, text: string) {
  const cwd = scratchFolder(t);
  const apply = applyOf(realSizeResults());
  assert.ok(apply.kind === 'files' && apply.reserve);
  writeFileSync(join(cwd, 'reserve'), apply.reserve.content);
  writeFileSync(join(cwd, 'services.cjs'), SERVICES);
  const begin = `mount -t tmpfs none /etc/sysctl.d && ip link set lo up || exit 90
echo '32768 60999' > /proc/sys/net/ipv4/ip_local_port_range
show() { cat /proc/sys/net/ipv4/ip_local_reserved_ports; }
mkfifo end; '${process.execPath}' services.cjs < end > said & exec 3> end
until grep -q ready said; do sleep 0.05; done
`;
  const result = spawnSync('unshare', [...UNSHARE, 'sh', '-c', `${begin}${text}\nexec 3>&-`], {
    cwd,
    encoding: 'utf8',
  });
  assert.notEqual(result.status, 90, result.stderr);
  return result;
}

describe('the script that reserves ports', { skip: noNamespace }, () => {
  it('reserves what listens within the new range beside what was reserved, names who, and goes back', (t) => {
    const { stdout, stderr } = withServices(
      t,
      `echo 7000-7002 > /proc/sys/net/ipv4/ip_local_reserved_ports
sh reserve > first && cat first; echo applied; show
sh reserve > second; diff first second && echo the same again
sysctl -q -p /etc/sysctl.d/zz-bindstorm-wider-range-reserved.conf && show
ls /etc/sysctl.d; sh reserve back; show; ls /etc/sysctl.d; echo end`,
    );
    assert.equal(stderr, '');
    // Neither 900, which is below the new range, nor the UDP port 40200, which may be a client's, nor the connection's own port.
    const all = '2000,5353,7000-7002,8125,9090,40100';
    const program = '(?:node|MainThread)';
    assert.match(
      stdout,
      new RegExp(
        `^# Reserved, so that no outgoing connection takes the port of a service that restarts:
#   2000/tcp ${program}
#   5353/udp ${program}
#   8125/tcp ${program}
#   8125/udp ${program}
#   9090/tcp ${program}
#   40100/tcp ${program}
net\\.ipv4\\.ip_local_reserved_ports = ${all}
applied
${all}
the same again
${all}
zz-bindstorm-wider-range-reserved.before
zz-bindstorm-wider-range-reserved.conf
As before\\.
7000-7002
end
$`,
      ),
    );
  });

  it('keeps the ports from connect(), which takes them without it', (t) => {
    // The range is the port of one of the services, and all of them end.
    const take = `'${process.execPath}' -e "
const net = require('node:net');
const one = net.connect({ port: 8125, host: '127.0.0.1' });
one.on('connect', () => { console.log('got', one.localPort); process.exit(); }).on('error', ({ code }) => console.log(code));"`;
    const { stdout, stderr } = withServices(
      t,
      `sed -i 's/^low=1024 high=65535/low=9090 high=9090/' reserve && grep -q 'high=9090' reserve || exit 91
echo '9090 9090' > /proc/sys/net/ipv4/ip_local_port_range
sh reserve > said.txt; exec 3>&-; wait
'${process.execPath}' -e "require('node:net').createServer().listen(8125, '127.0.0.1', () => console.log('ready'))" > again & pid=$!
until grep -q ready again; do sleep 0.05; done
${take}; sh reserve back > said.txt; ${take}
kill $pid`,
    );
    assert.equal(stderr, '');
    assert.equal(stdout, 'EADDRNOTAVAIL\ngot 9090\n');
  });

  it('says so where nothing listens, and where there is nothing to go back to', (t) => {
    const { stdout, stderr } = withServices(
      t,
      `exec 3>&-; wait; sh reserve; show; sh reserve back; echo $?; ls /etc/sysctl.d; echo end
: > /etc/sysctl.d/zz-bindstorm-wider-range-reserved.conf; sh reserve back; echo $?`,
    );
    assert.equal(
      stdout,
      'Nothing listens within 1024 to 65535: there is nothing to reserve.\n\nNothing was reserved by this script: there is nothing to go back to.\n0\nend\n1\n',
    );
    assert.match(
      stderr,
      /reserved\.before does not exist, so it is not known what was reserved before\. Nothing was changed/,
    );
  });
});
