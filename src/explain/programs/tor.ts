import type { Program } from '../pattern.js';

/** Tor: notices and info log, control events. */
export const TOR: Program = {
  name: 'Tor',
  profile: 'tor-2012',
  patterns: [
    {
      match: /Error binding network socket: (?<errno>Address already in use)/,
      call: 'bind',
      strategy: 'bind-reuseaddr',
      version: 'before 0.4.7.13 with OutboundBindAddress (before 0.2.3.12 it set SO_REUSEADDR too late, after bind())',
      note: 'since Linux 4.11 SO_REUSEADDR no longer lets bind() share ports, so the remedy of 2012 has no effect',
    },
    {
      match: /Error binding network socket: (?<errno>Cannot assign requested address)/,
      call: 'bind',
      note: 'OutboundBindAddress is not an address of this host',
    },
    {
      match: /connect\(\) to socket failed: (?<errno>Cannot assign requested address)/,
      call: 'connect',
      cause: 'four-tuples',
      strategy: 'bind-no-port-reuseaddr',
      version: '0.4.7.13 or newer with OutboundBindAddress, or any without',
      note: 'Tor says so at level info only; at notice the exit is silent, and its exhaustion metric does not move',
    },
    {
      match: /Failing because we have \d+ connections already/,
      call: 'bind',
      errno: 'EADDRINUSE',
      strategy: 'bind-reuseaddr',
      version: '0.4.8 or newer where the kernel or the sandbox refuses IP_BIND_ADDRESS_NO_PORT',
      note: 'it is logged once in six hours, however many streams fail',
    },
    {
      match: /REMOTE_REASON=RESOURCELIMIT|No Tor server allows exit to \S+\. Rejecting/,
      cause: 'client-gave-up',
      version: 'a client, not the exit',
    },
    {
      match: /Couldn't bind to |Could not bind to \S+: (?<errno>Address already in use)\. Is Tor already running/,
      call: 'listen',
      errno: 'EADDRINUSE',
    },
  ],
};
