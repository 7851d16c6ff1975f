import type { Strategy } from './contract.ts';

/** Never signals: what the exit-only custodian runs a lane with. */
export const neverEnter: Strategy<null> = {
  name: 'never-enter',
  check: () => [],
  open: () => null,
  onBar: () => ({ state: null, signal: 'none', facts: {} }),
};
