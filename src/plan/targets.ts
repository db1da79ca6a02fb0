/**
 * Targets outside the lab: an address and a port, never a name. Pure.
 */
import { canonicalAddress, unfitAddress } from '../domain/addresses.js';
import type { Target } from '../domain/target.js';
import { quote, UnitError } from '../domain/units.js';

const FORM = 'write an address and a port, for example 10.20.0.10:3128 or [fd00:20::10]:3128';

/**
 * Parse a target.
 * @throws UnitError for a host name (nothing is looked up), a missing or impossible port, an address that is nobody's to load
 */
export function parseTarget(text: string): Target {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const address = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  const bracketed = match?.[1] !== undefined;
  if (!match || address === undefined || (bracketed && !address.includes(':'))) {
    const bare = /^[^[\]]*:[^[\]]*:/.test(text) && !text.includes('/') ? '; an IPv6 address stands in brackets' : '';
    throw new UnitError(`${quote(text)} is not a target; ${FORM}${bare}`);
  }
  if (/[a-z]/i.test(address) && !bracketed) {
    throw new UnitError(
      `${quote(address)} is a host name, and names are not looked up, as DNS could point the load anywhere: write its IP address`,
    );
  }
  if (port < 1 || port > 65535) throw new UnitError(`${quote(text)} has port ${port}; a port is from 1 to 65535`);
  const canonical = canonicalAddress(address);
  const unfit = unfitAddress(canonical);
  if (unfit !== undefined) {
    const next = unfit.includes('documentation')
      ? " and so a placeholder: put your own proxy's address here"
      : ', which is never a target: name the address of one machine';
    throw new UnitError(`${quote(text)} is ${unfit}${next}`);
  }
  return { address: canonical, port };
}
