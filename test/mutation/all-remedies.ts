import { MUTATIONS } from '../traps/mutations.ts';
import { REMEDIES } from './remedies.ts';
import type { Remedy } from './remedy.ts';

const TRAP_FILES = ['traps/h01-h06.test.ts', 'traps/h07-h11.test.ts', 'traps/h12-h16.test.ts'];

/** The remedies against the sixteen traps, whose tests are called by their number, and all others. */
export const ALL_REMEDIES: readonly Remedy[] = [
  ...MUTATIONS.map(({ trap, remedy, file, find, replace }) => ({
    name: `${remedy} (${trap})`,
    tests: { files: TRAP_FILES, title: `${trap} ` },
    file,
    find,
    replace,
  })),
  ...REMEDIES,
];
