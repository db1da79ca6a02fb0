/**
 * Entry of the agent process.
 *
 *     node entry.js netns|host run|check
 */
import { launchOrigin } from './origin-launch.js';

const [kind, purpose] = process.argv.slice(2);
// Launched before anything else is loaded: the origin starts on the other CPU while this process reads its modules.
const launched = kind === 'netns' && purpose === 'run' ? launchOrigin(true) : null;
const { serveController } = await import('./main.js');
await serveController({ throwaway: kind !== 'host', launched });
