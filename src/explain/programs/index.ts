/** All programs, in the order in which they are asked: those with words of their own before those with common ones. */
import type { Program } from '../pattern.js';
import { ENVOY } from './envoy.js';
import { HAPROXY } from './haproxy.js';
import { NGINX } from './nginx.js';
import { NODE } from './node.js';
import { GO, JAVA, PERL, PYTHON, RUBY } from './runtimes.js';
import { DANTE, HITCH, MICROSOCKS, THREEPROXY, TINYPROXY, TRAFFIC_SERVER } from './small-proxies.js';
import { SQUID } from './squid.js';
import { SURVEYED } from './surveyed.js';
import { CURL, KERNEL, POSTGRES, SSH, WGET } from './tools.js';
import { TOR } from './tor.js';
import { TRACERS } from './tracers.js';

export const PROGRAMS: readonly Program[] = [
  SQUID,
  TOR,
  HAPROXY,
  NGINX,
  ENVOY,
  DANTE,
  TINYPROXY,
  MICROSOCKS,
  TRAFFIC_SERVER,
  THREEPROXY,
  HITCH,
  NODE,
  GO,
  JAVA,
  PYTHON,
  RUBY,
  PERL,
  CURL,
  WGET,
  SSH,
  POSTGRES,
  KERNEL,
  TRACERS,
  ...SURVEYED,
];
