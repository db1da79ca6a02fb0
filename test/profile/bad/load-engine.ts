/**
 * Bad profiles: what the load's engine cannot do.
 */
import { type BadProfile, edit, external, load } from './bad-profile.js';

const squid = (lines: string) => `${edit('  strategy: bind', `  ${lines}`)}subject: { kind: squid }\n`;

export const LOAD_ENGINE: readonly BadProfile[] = [
  {
    title: 'an engine that is none',
    text: load('engine: undici'),
    place: 'load.engine:4',
    message: /^engine must be one of socket, http, not "undici" \(a text\)$/,
  },
  {
    title: 'the socket engine with TLS',
    text: load('engine: socket\n  tls: true'),
    place: 'load.tls:5',
    message: /^tls needs the HTTP engine: write "engine: http", or remove tls$/,
  },
  {
    title: 'the socket engine with connections that are used again',
    text: load('engine: socket\n  keepAlive: true'),
    place: 'load.keepAlive:5',
    message: /^keepAlive needs the HTTP engine: write "engine: http", or remove keepAlive$/,
  },
  {
    title: 'a share of kept connections that is more than all of them',
    text: load('keepAlive: 120%'),
    place: 'load.keepAlive:4',
    message: /^"120%" is not a share; write a percentage above 0 and below 100, for example 2%$/,
  },
  {
    title: 'a number of requests for connections that are not kept',
    text: load('engine: http\n  keepAliveRequests: 10'),
    place: 'load.keepAliveRequests:5',
    message: /^keepAliveRequests has no effect without keepAlive: add "keepAlive: true", or remove keepAliveRequests$/,
  },
  {
    title: 'the HTTP engine without HTTP',
    text: load('engine: http\n  protocol: tcp'),
    place: 'load.protocol:5',
    message: /^the HTTP engine does not speak protocol tcp: write "protocol: get", or "engine: socket"$/,
  },
  {
    title: 'GET without a proxy by the socket engine',
    text: load('protocol: get'),
    place: 'load.protocol:4',
    message: /protocol get without a proxy takes the HTTP engine: add "engine: http", or remove protocol/,
  },
  {
    title: 'an exchange of bytes by the HTTP engine',
    text: load('engine: http\n  exchange: { request: 1, response: 1 }'),
    place: 'load.exchange:5',
    message:
      /^the HTTP engine has no "exchange" \(it sends a GET and reads the answer\): remove exchange, and give body$/,
  },
  {
    title: 'an origin that does not accept, and the HTTP engine',
    text: load('engine: http\n  sink: listen-only'),
    place: 'load.sink:5',
    message:
      /^the HTTP engine needs an origin that answers, and with sink listen-only none does: write "sink: accept"$/,
  },
  {
    title: 'drain by the HTTP engine',
    text: load('engine: http\n  drain: true'),
    place: 'load.drain:5',
    message: /^the HTTP engine has no "drain": remove it, or write "engine: socket"$/,
  },
  {
    title: 'clocks of the clients by the HTTP engine',
    text: load('engine: http\n  clocks: 3'),
    place: 'load.clocks:5',
    message: /^the HTTP engine has no "clocks": remove it, or write "engine: socket"$/,
  },
  {
    title: 'TLS to a proxy that is to read the request',
    text: squid('protocol: get\n  tls: true'),
    place: 'load.tls:5',
    message: /tls with protocol get would hide the GET from squid, which must read it; use "protocol: connect"/,
  },
  {
    title: 'a tunnel that is held and used again',
    text: squid('keepAlive: true\n  hold: 1s'),
    place: 'load.hold:5',
    message:
      /^keepAlive reuses a tunnel at once and cannot be combined with hold 1s: write "hold: 0s", or remove keepAlive$/,
  },
  {
    title: 'a tunnel that is held and that the origin closes',
    text: squid('engine: http\n  close: server\n  hold: 1s'),
    place: 'load.hold:6',
    message:
      /^with the HTTP engine the origin closes after its answer, so close: server does not go with hold 1s: write "hold: 0s", or "close: client"$/,
  },
  {
    title: 'connections that are kept open, and used again',
    text: load('keepAlive: true').replace('{ shape: constant, rate: 100/s,', '{ shape: hold, connections: 5,'),
    place: 'load.keepAlive:4',
    message:
      /^keepAlive reuses connections, and an arrival that holds them opens each once: remove keepAlive, or use another arrival$/,
  },
  {
    title: 'TLS to a machine outside the lab',
    text: external('[127.0.0.1:9000]').replace('  strategy: bind', '  tls: true'),
    place: 'load.tls:4',
    message:
      /^tls needs the certificate that the lab makes, and targets outside the lab have another: remove tls, or the targets$/,
  },
];
