import type { Program } from '../pattern.js';

/** HAProxy: its log and standard error. */
export const HAPROXY: Program = {
  name: 'HAProxy',
  patterns: [
    {
      match: /Connect\(\) failed for backend \S+: no free ports/,
      call: 'connect',
      errno: 'EADDRNOTAVAIL',
      cause: 'four-tuples',
      strategy: 'bind-no-port-reuseaddr',
      version: 'with source ADDRESS; without it, the strategy is connect',
      note: 'two lines are one attempt, and retries multiply them',
    },
    {
      match: /Cannot bind to source address before connect\(\) for backend \S+/,
      cause: 'own-port-list',
      strategy: 'bind-explicit-port',
      version: 'with source ADDRESS:LOW-HIGH',
    },
    {
      match:
        /\bfor (?:frontend|proxy) \S+: cannot bind socket \((?<errno>Address already in use|Cannot assign requested address)\)|\bStarting (?:frontend|proxy) \S+: cannot bind socket(?: \(Address already in use\))? \[/,
      call: 'listen',
      errno: 'EADDRINUSE',
    },
  ],
};
