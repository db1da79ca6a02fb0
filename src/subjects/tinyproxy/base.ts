/**
 * What the lab changes in a tinyproxy.conf of the user's own. Pure.
 */
import type { BaseRules, LabOfBase } from '../base/base.js';
import { lineSyntax } from '../base/syntax.js';

/** Directive, in lower case → why the lab has its own, or none. */
const OWN: Readonly<Record<string, string>> = {
  listen: 'the lab chooses where it listens',
  port: 'the lab chooses where it listens',
  logfile: 'the lab reads the log',
  loglevel: 'the lab reads the log',
  syslog: 'the lab reads the log',
  pidfile: 'the lab has no pid file',
  user: 'the lab chooses the user',
  group: 'the lab chooses the user',
  allow: "the lab's clients have addresses of the lab's",
  deny: "the lab's clients have addresses of the lab's",
  connectport: "the lab's origins have ports of the lab's",
  basicauth: "the lab's clients have no password",
};

/** @param lines those that the lab has in any configuration */
export function tinyproxyBase(lines: (setup: LabOfBase) => readonly string[]): BaseRules {
  return {
    syntax: lineSyntax(false),
    settings: [],
    added: [],
    add: (setup) => [{ where: 'top', lines: lines(setup) }],
    treat({ name, args }) {
      const why = Object.hasOwn(OWN, name) ? OWN[name] : undefined;
      if (why !== undefined) return { leaveOut: why };
      if (name === 'bind')
        return { places: [{ kind: 'outgoing', value: args[0] ?? '' }], write: ([to]) => `Bind ${to}` };
      if (name === 'bindsame')
        return { refuse: 'the address on which clients reach it has no way to the origins; name addresses with Bind' };
      if (name === 'upstream')
        return { refuse: 'a further proxy is not in the lab, and requests to it would fail; remove it' };
      return null;
    },
  };
}
