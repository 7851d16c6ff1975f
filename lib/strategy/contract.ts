import type { Bar } from '../domain/market.ts';

/**
 * An entry signal. One file, one default export of this type, named in the YAML by registry name or by path:
 *
 * ```yaml
 * strategy: { name: sma-cross, period: 20 }
 * strategy: { name: ./config/my-signal.js, threshold: 3 }
 * ```
 *
 * A signal is pure: no clock, no I/O, no chance, no state outside what `open` returns. It sees the completed minute
 * bars of the regular session in time order, each once, and says whether this bar is an entry. Everything else (lot,
 * limit, exit, halts, cutoffs, risk) is the lane's business.
 */
export type Strategy<State = unknown> = {
  readonly name: string;
  /** Checks the options of the YAML (all keys but `name`); returns a message per mistake, empty when all is well. */
  check(options: Readonly<Record<string, unknown>>): readonly string[];
  /** The state before the first bar of a session. */
  open(options: Readonly<Record<string, unknown>>): State;
  /** One more bar. Must return a new state; `facts` are numbers worth a log line (averages, distances). */
  onBar(
    state: State,
    bar: Bar,
  ): {
    readonly state: State;
    readonly signal: 'enter' | 'none';
    readonly facts: Readonly<Record<string, number>>;
  };
};
