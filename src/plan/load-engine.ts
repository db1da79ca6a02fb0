/**
 * The load's engines. Pure.
 */

/**
 * `socket`: non-blocking sockets through libc and epoll, for high rates and thousands of held connections. `http`: undici over sockets
 * that are made the same way, for what real HTTP clients do: connections used again, TLS, bodies in chunks.
 */
export const LOAD_ENGINES = ['socket', 'http'] as const;
export type LoadEngine = (typeof LOAD_ENGINES)[number];
