import type { Program } from '../pattern.js';

/** nginx: error_log. */
export const NGINX: Program = {
  name: 'nginx',
  patterns: [
    { match: /\bbind\(\) to \S+ failed \((?<errno>98|99|13)?/, without: /while connecting/, call: 'listen' },
    {
      match:
        /\bbind\((?<address>[^)]{0,64}?)(?::(?<port>\d{1,5}))?\) failed \((?<errno>\d{1,3}): [^)]{0,64}\) while connecting to upstream/,
      call: 'bind',
      strategy: 'bind-explicit-port-exclusive',
      version: 'proxy_bind with a port',
      note: 'with a fixed port there is one connection at a time',
    },
    {
      match:
        /\bconnect\(\) to (?<address>\[[^\]]{1,64}\]|[^\s:]{1,256})(?::\S{1,256})? failed \((?<errno>11|99|105|110|111|113|101): [^)]{0,64}\) while connecting to upstream/,
      call: 'connect',
      strategy: 'bind-no-port',
      version: 'with proxy_bind; without it, the strategy is connect',
      note: 'by default one such failure marks the server as down for 10 s (max_fails=1), which makes further errors',
    },
    { match: /no live upstreams while connecting to/, cause: 'marked-down' },
    { match: /(?:socket|accept4?)\(\) failed \((?<errno>24|23): /, call: 'socket' },
    {
      match: /worker_connections are not enough/,
      cause: 'descriptors',
      note: 'a limit of nginx itself: worker_connections',
    },
  ],
};
