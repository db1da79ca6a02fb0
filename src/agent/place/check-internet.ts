/**
 * Checks that the lab's internet works on this kernel: opens a transparent socket for all addresses and adds the TPROXY rule that diverts
 * all TCP packets to it. The network namespace is thrown away afterwards.
 */
import { messageOf } from '../../domain/error.js';
import { SystemCallError } from '../../kernel/errno.js';
import { close } from '../../kernel/libc.js';
import { divertTcp } from '../../kernel/nftables.js';
import { transparentSocket } from '../../load/origin/internet/any-address.js';

const PORT = 1;

/** Why not, or null. @param ownNamespace the lab is a fresh namespace; in another nothing is tried */
export function internetMissing(ownNamespace: boolean): string | null {
  if (!ownNamespace) return 'it takes network namespaces of its own';
  try {
    close(transparentSocket(PORT));
    divertTcp(PORT);
    return null;
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    return messageOf(error);
  }
}
