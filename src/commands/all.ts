/**
 * Every command, in the order of the help.
 */
import type { Command } from 'commander';
import { registerCapacity } from './capacity.js';
import { registerCompare } from './compare.js';
import { registerCompletion } from './completion.js';
import { registerDoctor } from './doctor.js';
import { registerExplain } from './explain.js';
import { registerFixes } from './fixes.js';
import { registerFleet } from './fleet.js';
import { registerLab } from './lab.js';
import { registerPlan } from './plan.js';
import { registerProfiles } from './profiles.js';
import { registerPrograms } from './programs.js';
import { registerReport } from './report.js';
import { registerRestore } from './restore.js';
import { registerRun } from './run.js';
import { registerSchema } from './schema.js';
import { registerSearch } from './search.js';
import { registerSink } from './sink.js';
import { registerTry } from './try.js';
import { registerWatch } from './watch.js';

export const COMMANDS: readonly ((program: Command) => void)[] = [
  registerRun,
  registerTry,
  registerLab,
  registerPlan,
  registerSearch,
  registerFixes,
  registerFleet,
  registerCapacity,
  registerExplain,
  registerReport,
  registerCompare,
  registerWatch,
  registerDoctor,
  registerProfiles,
  registerPrograms,
  registerSink,
  registerSchema,
  registerCompletion,
  registerRestore,
];
