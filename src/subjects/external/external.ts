/**
 * A proxy that runs already, at an address of the allow list: nobody starts, stops or looks into it. Pure.
 */
import { optional } from '../../domain/setting.js';
import { text } from '../../domain/values.js';
import type { Subject } from '../subject.js';

export const external = {
  kind: 'external',
  role: 'elsewhere',
  settings: {
    target: optional(text(1, 1000), {
      describe: 'the address and port of the proxy, which must be on the allow list, for example "10.20.0.10:3128"',
      example: '"10.20.0.10:3128"',
    }),
  },
  protocols: () => ['connect', 'get', 'socks5'],
} as const satisfies Subject;
