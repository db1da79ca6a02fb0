import type { Program } from '../pattern.js';

/** Dante: its own words for the errno. */
export const DANTE: Program = {
  name: 'Dante',
  patterns: [
    {
      match: /bindexternaladdr\(\): could not bind tcp port (?<port>\d+) of IPv[46] address (?<address>\S+?):/,
      call: 'bind',
      errno: 'EADDRINUSE',
      strategy: 'bind',
      note: "it asks for its client's own source port first, and for any only when that is taken, so it fails late",
    },
  ],
};

/** tinyproxy: no errno in its log. */
export const TINYPROXY: Program = {
  name: 'tinyproxy',
  patterns: [
    {
      match: /opensock: Could not establish a connection to (?<address>\S+)/,
      cause: 'either',
      note: 'it does not name the errno: a refused connection looks the same',
    },
  ],
};

/** microsocks: perror(3). */
export const MICROSOCKS: Program = {
  name: 'microsocks',
  patterns: [
    {
      match: /^socket\/connect: (?<errno>Address (?:already )?in use)$/,
      call: 'bind',
      strategy: 'bind',
      version: 'with -b',
    },
    { match: /^socket\/connect: (?<errno>.+)$/, call: 'connect', strategy: 'connect', version: 'without -b' },
  ],
};

/** Apache Traffic Server: by default it logs nothing of it, so what its client sees must do. */
export const TRAFFIC_SERVER: Program = {
  name: 'Apache Traffic Server',
  patterns: [
    {
      match: /\b502 Tunnel Connection Failed\b/,
      cause: 'either',
      strategy: 'bind-reuseaddr',
      version: 'with ip-out',
      note: 'it logs nothing of the errno; it sets SO_REUSEADDR, so ip_autobind_reuse=1 acts (Linux 5.7)',
    },
  ],
};

/** 3proxy: the errno in the place of the request. */
export const THREEPROXY: Program = {
  name: '3proxy',
  patterns: [{ match: /"bind\(\): (?<errno>[A-Z][a-z ]+)" \d{5}/, call: 'listen' }],
};

/** hitch, the TLS proxy. */
export const HITCH: Program = {
  name: 'hitch',
  patterns: [{ match: /\{backend-connect\}: (?<errno>[A-Z][a-z ]+)/, call: 'connect', strategy: 'connect' }],
};
