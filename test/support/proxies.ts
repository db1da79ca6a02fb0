/** The settings that proxies have when a profile names none. */
import { dante } from '../../src/subjects/dante/dante.js';
import { haproxy } from '../../src/subjects/haproxy/haproxy.js';
import { nginx } from '../../src/subjects/nginx/nginx.js';
import { squid } from '../../src/subjects/squid/squid.js';
import { tor } from '../../src/subjects/tor/tor.js';

export const SQUID = squid.defaults;
export const HAPROXY = haproxy.defaults;
export const NGINX = nginx.defaults;
export const DANTE = dante.defaults;
export const TOR = tor.defaults;
