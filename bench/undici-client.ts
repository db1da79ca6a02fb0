/**
 * The contender undici, a process of its own: `node undici-client.js WORK`, the work as JSON. As one would write it: one client for each
 * place in flight, told to close the connection after each answer.
 */
import { Client } from 'undici';
import type { HttpWork, PeerCount } from './peer.js';

const { requests, inFlight, url, source } = JSON.parse(process.argv[2] ?? '') as HttpWork & {
  url: string;
  source?: string;
};
let started = 0;
let ok = 0;
let failed = 0;

async function chain(): Promise<void> {
  const client = new Client(url, source === undefined ? {} : { localAddress: source });
  while (started++ < requests) {
    try {
      const { statusCode, body } = await client.request({ method: 'GET', path: '/', reset: true });
      await body.dump();
      if (statusCode === 200) ok++;
      else failed++;
    } catch {
      failed++;
    }
  }
  await client.close();
}

const begin = performance.now();
await Promise.all(Array.from({ length: inFlight }, chain));
const seconds = (performance.now() - begin) / 1000;
console.log(JSON.stringify({ ok, failed, seconds } satisfies PeerCount));
