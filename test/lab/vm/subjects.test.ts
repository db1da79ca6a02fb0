// needs: squid, haproxy, nginx, libnginx-mod-stream, dante-server, tinyproxy-bin, microsocks, tor
/**
 * Proxies of this machine, and of another Debian suite, in guests of User-Mode Linux with the kernels of Debian bookworm (6.1) and bullseye (5.10): each holds as
 * many connections as the model says, and no more.
 */
import { holdOn } from '../../support/guest-subjects.js';

for (const kernel of ['bookworm', 'bullseye']) holdOn({ engine: 'uml', kernel });
