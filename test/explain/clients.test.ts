import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recogniseClient } from '../../src/explain/clients.js';

/** What the clients sent in their measurements. */
const AGENTS: readonly (readonly [agent: string, program: string, name: string | null])[] = [
  ['axios/1.21.1', 'node', 'axios'],
  ['node-fetch/1.0 (+https://github.com/bitinn/node-fetch)', 'node', 'node-fetch'],
  ['Needle/3.5.0 (Node.js v20.20.2; linux x64)', 'node', 'needle'],
  ['got (https://github.com/sindresorhus/got)', 'node', 'got'],
  ['node', 'node', 'fetch or undici'],
  ['undici', 'node', 'fetch or undici'],
  ['', 'node', 'node:http'],
  ['', 'nginx', null],
  ['python-requests/2.28.1', 'python3', 'requests'],
  ['Python-urllib/3.11', 'python3', 'urllib.request'],
  ['python-httpx/0.23.3', 'python3', 'httpx'],
  ['Python/3.11 aiohttp/3.8.4', 'python3', 'aiohttp'],
  ['Go-http-client/1.1', 'service', 'Go net/http'],
  ['Java-http-client/17.0.13', 'java', 'Java HttpClient'],
  ['Java/17.0.13', 'java', 'HttpURLConnection'],
  ['Ruby', 'ruby', 'Ruby Net::HTTP'],
  ['libwww-perl/6.68', 'perl', 'LWP'],
  ['curl/7.88.1', 'sh', 'curl'],
  ['Mozilla/5.0', 'node', null],
];

for (const [agent, program, name] of AGENTS)
  test(`"${agent}" of ${program} is ${name ?? 'not known'}`, () => {
    assert.equal(recogniseClient({ [agent]: 3 }, program)?.name ?? null, name);
  });

test('the client of most requests counts', () => {
  assert.equal(recogniseClient({ 'curl/7.88.1': 1, 'Go-http-client/1.1': 99 }, 'x')?.name, 'Go net/http');
  assert.equal(recogniseClient({}, 'node'), null);
});
