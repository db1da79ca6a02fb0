/**
 * What a profile may say of a private Tor network. Pure.
 */
import { setting } from '../../domain/setting.js';
import { duration } from '../../domain/values.js';
import { binarySetting, CLIENTS, CONFIG, type SettingsOf, SUITE } from '../settings.js';

/** The table of them. */
export const SETTINGS = {
  binary: binarySetting('tor'),
  config: CONFIG,
  clients: CLIENTS,
  suite: SUITE,
  deadline: setting(duration, {
    // Measured: 6 to 23 s from nothing on a quiet machine, 2 s from the cache.
    default: 90_000,
    describe: 'how long its private network may take until a byte came through every exit',
    example: '90s',
  }),
};
export type TorSettings = SettingsOf<'tor', typeof SETTINGS>;
