import type { Program } from '../pattern.js';

/** Envoy: its log, and the body and flags of its 503. */
export const ENVOY: Program = {
  name: 'Envoy',
  patterns: [
    {
      match: /\b[Ff]ailed to bind to (?<address>[0-9a-f.:[\]]+?):(?<port>\d+): (?<errno>[A-Z][a-z ]+)/,
      call: 'bind',
      strategy: 'bind',
      version:
        'upstream_bind_config without IP_BIND_ADDRESS_NO_PORT among its socket_options, or a source port that is named',
    },
    {
      match: /immediate connect error: (?<errno>[A-Z][a-z ]+?)\|remote address:(?<address>\S+?):\d+$/,
      call: 'connect',
      strategy: 'connect',
      version: 'without upstream_bind_config, or with IP_BIND_ADDRESS_NO_PORT',
    },
    {
      match: /immediate connect error: (?<errno>Cannot assign requested address|Address not available)/,
      call: 'connect',
      strategy: 'connect',
      version: 'without upstream_bind_config, or with IP_BIND_ADDRESS_NO_PORT',
    },
    {
      match: /\b(?:immediate|delayed|remote)[ _]connect(?:ion)?[ _](?:error|failure)\b/,
      by: { bind: 'bind', connect: 'connect' },
      version: 'its access log or the reason in its answer',
    },
    { match: /cannot bind '\S+': (?<errno>Address already in use|Cannot assign requested address)/, call: 'listen' },
  ],
};
