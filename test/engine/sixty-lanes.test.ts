import { expect } from 'chai';
import { type Cash, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { DEFAULT_RISK_LIMITS } from '../../lib/domain/risk.ts';
import { before as earlier, after as later, minutes, seconds } from '../../lib/domain/time.ts';
import { createRandom } from '../../lib/sim/random.ts';
import { marketSymbols } from '../../lib/sim/universe.ts';
import { HALF_HOUR, loggedOf, startHolding } from './holding.ts';
import { judge, type SimulatedDay } from './simulated-day.ts';

const SYMBOLS = marketSymbols(60);
const A_MILLION = (1_000_000 * UNITS_PER_USD) as Cash;
const WIDE = { ...DEFAULT_RISK_LIMITS, grossExposureMax: A_MILLION, dailyLossMax: A_MILLION };
const BUDGET = 200;
const SEEDS = (process.env.SCALPD_SEEDS ?? '1,17,20').split(',').map(Number);
const FLATTEN_AT = earlier(HALF_HOUR.closeAt, minutes(5));

const startSixty = (seed: number): Promise<SimulatedDay> =>
  startHolding({
    seed,
    symbols: SYMBOLS,
    printsPerDay: 23_400,
    settings: { risk: { limits: WIDE, checkEvery: seconds(1) } },
    // Every entry fills five seconds after it was sent, so that the holding time ends after the flatten has begun.
    params: { holdMax: seconds(22 * 60 - 2) },
    exchange: {
      // How long a thin book takes for the rest of a cut fill is the market's, and in no forecast.
      partialFillShare: 0,
      account: { cash: A_MILLION, multiplier: 4, shorting: true },
      fillRules: [
        {
          match: { side: 'buy' },
          model: { kind: 'partial', pieces: 1, only: null, delay: 5_000_000 },
          times: null,
        },
      ],
    },
  });

const holding = (day: SimulatedDay): number =>
  day
    .engine()
    .status()
    .lanes.filter(({ shares }) => shares > 0).length;

/** Everything is out, within the rate by the exchange's count, in the time that was forecast when it began. */
async function expectGoodForecast(day: SimulatedDay, reason: string, atLeast: number): Promise<void> {
  const report = await day.finish();
  expect(report.flat, report.open.join('; ')).to.equal(true);
  expect(judge(day)).to.deep.equal([]);
  expect(day.requestPeak(), 'requests within 60 s').to.be.at.most(BUDGET);
  const [begun] = loggedOf(day, 'flatten.begun');
  const [done] = loggedOf(day, 'flatten.done');
  expect(begun?.fields).to.include({ reason, lanes: SYMBOLS.length, fits: true });
  const forecast = Number(begun?.fields.seconds);
  const fills = day.exchange
    .ledger()
    .fills.filter(({ side, at }) => side === 'sell' && at >= (begun?.at ?? 0));
  const took = (Math.max(...fills.map(({ at }) => at)) - (begun?.at ?? 0)) / 1e6;
  expect(forecast, 'the budget makes them wait').to.be.above(atLeast);
  expect(took, `forecast ${forecast} s, by the exchange`).to.be.within(forecast * 0.8, forecast * 1.2);
  expect(Number(done?.fields.seconds), 'by the log').to.be.within(forecast * 0.8, forecast * 1.2);
  expect(Math.max(...fills.map(({ at }) => at))).to.be.below(HALF_HOUR.closeAt);
}

describe('60 lanes holding shares at the flatten with the budget at 200 a minute', function () {
  this.timeout(60_000);

  for (const seed of SEEDS)
    it(`before the close, with a minute behind them that spent the budget, seed ${seed}`, async () => {
      const day = await startSixty(seed);
      const random = createRandom(`sixty/${seed}`);
      // Somebody cancels every exit by hand, twice: each lane sends its own again.
      for (const before of [random.integer(35, 50), random.integer(10, 25)]) {
        await day.runTo(earlier(FLATTEN_AT, seconds(before)));
        day.exchange.act({ kind: 'cancelByHand', match: { side: 'sell' } });
      }
      await day.runTo(earlier(FLATTEN_AT, seconds(1)));
      expect(holding(day)).to.equal(SYMBOLS.length);
      await expectGoodForecast(day, 'close', 5);
    });

  for (const seed of SEEDS.slice(0, 1))
    it(`by the kill switch, right after all have bought, seed ${seed}`, async () => {
      const day = await startSixty(seed);
      let now = later(HALF_HOUR.openAt, minutes(3));
      while (holding(day) < SYMBOLS.length && now < later(HALF_HOUR.openAt, minutes(5))) {
        now = later(now, seconds(1));
        await day.runTo(now);
      }
      expect(holding(day)).to.equal(SYMBOLS.length);
      day.exchange.act({ kind: 'cancelByHand', match: { side: 'sell' } });
      await day.runTo(later(now, seconds(5)));
      day.engine().kill({ by: 'ann', why: 'a test' });
      await expectGoodForecast(day, 'kill', 5);
    });
});
