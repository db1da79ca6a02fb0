/**
 * Profiles that must be refused, each for one reason, at one place. The unit tests run them through `loadProfile`, and the
 * tests of the command line through the program.
 */

import { ADDRESSES } from './bad/addresses.js';
import type { BadProfile } from './bad/bad-profile.js';
import { EXPERIMENT } from './bad/experiment.js';
import { KEYS_AND_TYPES } from './bad/keys.js';
import { LOAD } from './bad/load.js';
import { LOAD_ENGINE } from './bad/load-engine.js';
import { NEIGHBOURS } from './bad/neighbours.js';
import { OUTSIDE } from './bad/outside.js';
import { SUBJECT } from './bad/subject.js';
import { SYSCTLS } from './bad/sysctls.js';
import { YAML } from './bad/yaml.js';

export { type BadProfile, GOOD_PROFILE } from './bad/bad-profile.js';

export const BAD_PROFILES: readonly BadProfile[] = [
  ...YAML,
  ...KEYS_AND_TYPES,
  ...LOAD,
  ...LOAD_ENGINE,
  ...ADDRESSES,
  ...SYSCTLS,
  ...OUTSIDE,
  ...SUBJECT,
  ...NEIGHBOURS,
  ...EXPERIMENT,
];
