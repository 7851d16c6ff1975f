import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { after, type Micros, seconds } from '../../lib/domain/time.ts';
import { NO_FAULTS, type ScriptedFault } from '../../lib/sim/fault-types.ts';
import { enterAtBars, HALF_HOUR, laneOf, ordersOf, startHolding, until } from '../engine/holding.ts';
import { type DayOptions, judge, type SimulatedDay } from '../engine/simulated-day.ts';

export const SPY = 'SPY' as Ticker;
export const AAPL = 'AAPL' as Ticker;

/** So many minutes and seconds after the open. */
export const at = (minute: number, second = 0): Micros =>
  after(HALF_HOUR.openAt, seconds(minute * 60 + second));

/** A day on which SPY buys with its third bar, at 9:33, and gets out at the market when the holding time is over. */
export function startOne(
  script: readonly ScriptedFault[],
  options: Partial<DayOptions> = {},
): Promise<SimulatedDay> {
  return startHolding({
    symbols: [SPY],
    faults: { ...NO_FAULTS, script },
    ...options,
    params: { holdMax: seconds(60), ...options.params },
  });
}

/** Says "enter" at every bar: a day that would buy whenever it may. */
export const KEEN = enterAtBars(...Array.from({ length: 60 }, (_, bar) => bar + 1));

export const untilHeld = (day: SimulatedDay, symbol = SPY): Promise<void> =>
  until(day, at(8), () => laneOf(day, symbol).stage === 'exiting', 'the lane holds shares, its exit rests');

/** Shares by the exchange's own books. */
export const sharesAt = (day: SimulatedDay, symbol = SPY): number =>
  day.exchange.ledger().positions.get(symbol) ?? 0;

export const buys = (day: SimulatedDay, symbol = SPY) =>
  ordersOf(day, symbol).filter(({ side }) => side === 'buy');

export const asked = (day: SimulatedDay, what: string, from: Micros) =>
  day.requests.filter((each) => each.what === what && each.at >= from);

/** Something was bought, no share is left or was sold twice, and books, broker and report agree. */
export async function endsFlat(day: SimulatedDay): Promise<void> {
  const report = await day.finish();
  expect(day.exchange.ledger().fills.length, 'something was traded').to.be.greaterThan(1);
  expect(judge(day)).to.deep.equal([]);
  expect(report.flat, report.open.join('; ')).to.equal(true);
  expect(report.discrepancies).to.deep.equal([]);
}
