/**
 * Whether the lab's internet can be had here: tried in this network namespace, which is thrown away, with a socket for every address and the
 * rule that gives it all TCP packets.
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
