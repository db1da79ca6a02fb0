/**
 * Entry of the agent process.
 *
 *     node entry.js netns|box|host run|check
 */
import '../machine/no-debugger.js';
import { launchOrigin } from './roles/launch.js';

const [place, purpose] = process.argv.slice(2);
// Launched before anything else is loaded: the origin starts on the other CPU while this process reads its modules.
const launched = place !== 'host' && purpose === 'run' ? launchOrigin(true) : null;
void import('./main.js').then(({ serveController }) =>
  serveController({ ownNamespace: place !== 'host', inBox: place === 'box', launched }),
);
