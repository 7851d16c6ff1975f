import type { Ticker } from '../../lib/domain/ids.ts';
import type { Price } from '../../lib/domain/money.ts';
import type { Session } from '../../lib/domain/session.ts';
import { after, type Micros, micros, minutes, seconds } from '../../lib/domain/time.ts';
import type { Tape, TapeItem } from '../../lib/sim/exchange-api.ts';
import type { Random } from '../../lib/sim/random.ts';

/** Half a minute after its minute a bar may come again, corrected for prints that were reported late. */
const CORRECTED_AFTER = seconds(30);

/** A tape on which that share of the minutes has its bar corrected (`updatedBar`). */
export function withCorrectedBars(
  tape: Tape,
  sessions: readonly Session[],
  random: Random,
  share: number,
): Tape {
  const due = drawCorrections(tape.symbols, sessions, random, share);
  const last = new Map<Ticker, Price>();
  let next = 0;

  function correction(): TapeItem | null {
    const found = due[next];
    if (found === undefined) return null;
    const { at, symbol, startAt } = found;
    const close = last.get(symbol) ?? tape.previousClose(symbol) ?? (10_000 as Price);
    const prices = { open: close, high: close, low: close, close, vwap: close };
    return { kind: 'updatedBar', at, bar: { symbol, startAt, ...prices, volume: 100, tradeCount: 1 } };
  }

  const isDue = (): boolean => {
    const at = due[next]?.at;
    const item = tape.peek();
    return at !== undefined && (item === null || at < item.at);
  };

  return {
    ...tape,
    peek: () => (isDue() ? correction() : tape.peek()),
    take() {
      if (isDue()) {
        const item = correction();
        next += 1;
        return item;
      }
      const item = tape.take();
      if (item?.kind === 'print') last.set(item.print.symbol, item.print.price);
      return item;
    },
  };
}

type Correction = { readonly at: Micros; readonly symbol: Ticker; readonly startAt: Micros };

function drawCorrections(
  symbols: readonly Ticker[],
  sessions: readonly Session[],
  random: Random,
  share: number,
): readonly Correction[] {
  const found: Correction[] = [];
  for (const { openAt, closeAt } of sessions)
    for (let at: number = openAt; at < closeAt; at += 60_000_000)
      for (const symbol of symbols)
        if (random.chance(share))
          found.push({
            at: after(after(micros(at), minutes(1)), CORRECTED_AFTER),
            symbol,
            startAt: micros(at),
          });
  return found;
}
