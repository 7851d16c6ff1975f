import { parseInstant } from '../../lib/domain/time.ts';
import type { Strategy } from '../../lib/strategy/contract.ts';

const LAST_BAR = parseInstant('2026-10-05T15:29:00-04:00');

/** Signals one entry, on the bar that ends at half past three; its one number counts bars. */
const enterAtHalfPastThree: Strategy<number> = {
  name: 'enter-at-half-past-three',
  check: (options) => Object.keys(options).map((key) => `this strategy takes no options; found ${key}`),
  open: () => 0,
  onBar: (bars, { startAt }) => ({
    state: bars + 1,
    signal: startAt === LAST_BAR ? 'enter' : 'none',
    facts: { bars: bars + 1 },
  }),
};
export default enterAtHalfPastThree;
