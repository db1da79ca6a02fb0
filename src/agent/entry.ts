/**
 * Entry of the agent process.
 *
 *     node entry.js netns|box|host run|check
 */
import { launchOrigin } from './roles/launch.js';

const [kind, purpose] = process.argv.slice(2);
// Launched before anything else is loaded: the origin starts on the other CPU while this process reads its modules.
const launched = kind !== 'host' && purpose === 'run' ? launchOrigin(true) : null;
const { serveController } = await import('./main.js');
await serveController({ throwaway: kind !== 'host', inBox: kind === 'box', launched });
