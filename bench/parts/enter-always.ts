import type { Strategy } from '../../lib/strategy/contract.ts';

/** Signals an entry on every bar. */
const enterAlways: Strategy<null> = {
  name: 'enter-always',
  check: () => [],
  open: () => null,
  onBar: () => ({ state: null, signal: 'enter', facts: {} }),
};
export default enterAlways;
