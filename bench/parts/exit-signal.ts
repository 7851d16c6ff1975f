import type { Strategy } from '../../lib/strategy/contract.ts';
import { wallNow } from './wall.ts';

/** Signals an entry on every bar of the traded symbols, and leaves the wall instant of each lane's decision. */
const exitSignal: Strategy<Options> = {
  name: 'exit-signal',
  check: () => [],
  open: (options) => options as Options,
  onBar(state, { symbol }) {
    new Float64Array(state.decidedAt)[slotOf(symbol)] = wallNow();
    return { state, signal: state.traded.includes(symbol) ? 'enter' : 'none', facts: {} };
  },
};
export default exitSignal;

export type Options = {
  readonly traded: readonly string[];
  /** A float for each ticker there may be, shared with the main thread. */
  readonly decidedAt: SharedArrayBuffer;
};

export const SLOTS = 676;
/** Tickers are two letters here. */
export const slotOf = (symbol: string): number =>
  (symbol.charCodeAt(0) - 65) * 26 + symbol.charCodeAt(1) - 65;
