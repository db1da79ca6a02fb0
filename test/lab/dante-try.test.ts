import { it } from 'node:test';
import { DANTE } from '../../src/profile/defaults.js';
import { labArm, measure } from '../support/lab.js';

it('try', async () => {
  const run = await measure({
    ...labArm({
      sysctls: { 'net.ipv4.ip_local_port_range': '40000 40049' },
      load: {
        protocol: 'socks5',
        holdMs: null,
        timeoutMs: 30_000,
        arrival: { shape: 'fill', attempts: 150, failures: null, inFlight: 8, waves: 1, pauseMs: 0 },
      },
    }),
    roles: { client: { 'net.ipv4.ip_local_port_range': '20000 20049' }, origin: {} },
    proxy: { ...DANTE, clients: 3 },
  }).catch((e) => console.log(String(e)));
  console.log(JSON.stringify(run?.outcomes), JSON.stringify(run?.proxy), run?.problems, run?.capacity, run?.ports);
});
