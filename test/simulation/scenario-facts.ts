import type { Run } from './run-scenario.ts';
import type { Happening } from './scenario.ts';

const HANDS: ReadonlySet<Happening['kind']> = new Set([
  'foreignShares',
  'foreignOrder',
  'cancelByHand',
  'replaceByHand',
  'endByVenue',
]);

/** Whether somebody or something else did anything to the account's orders or shares. */
export const byAnotherHand = ({ scenario }: Run): boolean =>
  scenario.happenings.some(({ kind }) => HANDS.has(kind));
