/** The ports of a NAT whose rule names none. A file of its own: `watch` needs no more of NATs to start. Pure. */
import type { PortRange } from '../../domain/units.js';

/** Ports that the kernel takes where a rule names none, for source ports from 1024 on (nf_nat_l4proto_unique_tuple()). */
export const UNNAMED: PortRange = { low: 1024, high: 65_535 };
