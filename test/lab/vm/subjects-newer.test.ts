// needs: squid, haproxy, nginx, libnginx-mod-stream, dante-server, tinyproxy-bin, microsocks, tor
/**
 * Proxies of this machine, and of another Debian suite, in guests of User-Mode Linux with the kernels of Debian trixie (6.12) and sid (the newest): each holds as
 * many connections as the model says, and no more.
 */
import { holdOn } from '../../support/guest-subjects.js';

for (const kernel of ['trixie', 'sid']) holdOn({ engine: 'uml', kernel });
