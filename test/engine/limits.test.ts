import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { type Cash, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { DEFAULT_RISK_LIMITS, type RiskLimits } from '../../lib/domain/risk.ts';
import { after as later, minutes, type SessionDay, seconds } from '../../lib/domain/time.ts';
import { findLanes } from '../../lib/engine/opening.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { SimOrder } from '../../lib/sim/exchange-api.ts';
import { enterAtBars, HALF_HOUR, laneOf, loggedOf, startHolding, until } from './holding.ts';
import {
  DAY,
  judge,
  laneParams,
  memoryJournal,
  type SimulatedDay,
  SYMBOLS,
  sessionOf,
} from './simulated-day.ts';
import { loggingTo, SPY, START } from './support.ts';

const { openAt } = HALF_HOUR;
const { gateway: GATEWAY } = DEFAULT_ENGINE_SETTINGS;
const dollars = (amount: number): Cash => (amount * UNITS_PER_USD) as Cash;
const risk = (over: Partial<RiskLimits>) => ({
  risk: { limits: { ...DEFAULT_RISK_LIMITS, ...over }, checkEvery: seconds(1) },
});

const buysOf = (day: SimulatedDay): readonly SimOrder[] =>
  day.exchange.ledger().orders.filter(({ side }) => side === 'buy');
const costOf = ({ qty, limitPrice }: SimOrder): number => (qty ?? 0) * (limitPrice ?? 0);
const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);
const refusals = (day: SimulatedDay): readonly unknown[] =>
  loggedOf(day, 'lane.entry.refused').map(({ fields }) => fields.code);

describe('account limits over a whole engine', function () {
  this.timeout(60_000);

  it('five lanes that want in on the same bar do not race each other past the gross exposure', async () => {
    const day = await startHolding({ settings: risk({ grossExposureMax: dollars(4_500) }) });
    await day.runTo(later(openAt, seconds(3 * 60 + 2)));
    const sent = sum(buysOf(day).map(costOf));
    expect(buysOf(day).length).to.be.within(2, 4);
    expect(sent).to.be.at.most(dollars(4_500));
    expect(sent, 'one more would have been too much').to.be.above(dollars(2_500));
    expect(refusals(day).filter((code) => code === 'grossExposure')).to.have.length(
      SYMBOLS.length - buysOf(day).length,
    );
    await day.finish();
    expect(judge(day)).to.deep.equal([]);
  });

  it('nor past the buying power: what does not fit is denied here, and nothing is refused by the broker', async () => {
    const account = { cash: dollars(4_500), multiplier: 1 as const, shorting: false };
    const day = await startHolding({ exchange: { account } });
    await day.runTo(later(openAt, seconds(3 * 60 + 2)));
    expect(buysOf(day).length).to.be.within(2, 4);
    expect(sum(buysOf(day).map(costOf))).to.be.at.most(dollars(4_500));
    expect(refusals(day)).to.include('buyingPower');
    expect(loggedOf(day, 'order.rejected')).to.deep.equal([]);
    await day.finish();
    expect(judge(day)).to.deep.equal([]);
  });

  it('two entries of a symbol and day, not three, over a restart as well', async () => {
    const day = await startHolding({
      symbols: [SPY],
      strategy: enterAtBars(2, 3, 5, 6, 8, 9, 11, 12),
      params: { entriesMax: 2, holdMax: minutes(1) },
    });
    await until(day, later(openAt, minutes(7)), () => buysOf(day).length === 1, 'the first entry');
    await day.restart();
    await day.finish();
    expect(buysOf(day)).to.have.length(2);
    expect(laneOf(day, SPY).entries).to.equal(2);
    expect(refusals(day)).to.include('entriesMax');
  });

  it('the loss of the day, marked alone, gets everything out, and stays latched over a restart and the night', async () => {
    const next = sessionOf('09:30', '10:00', '2026-10-06' as SessionDay);
    const day = await startHolding({ more: [next], settings: risk({ dailyLossMax: dollars(1) }) });
    const isLatched = (): boolean => day.engine().status().latch !== null;
    await until(day, later(openAt, minutes(24)), isLatched, 'the marks fall');
    const [latched] = loggedOf(day, 'risk.dailyLoss');
    expect(
      loggedOf(day, 'lane.roundTrip').filter(({ at }) => at < (latched?.at ?? 0)),
      'nothing was realized',
    ).to.deep.equal([]);
    await day.runTo(later(day.clock.now(), seconds(30)));
    expect(
      day
        .engine()
        .status()
        .lanes.map(({ shares }) => shares),
    ).to.deep.equal(SYMBOLS.map(() => 0));
    const records = await day.journal.read(DAY);
    const latchedIn = records.findIndex(
      ({ kind, body }) => kind === 'operator' && (body as { readonly what?: unknown }).what === 'dailyLoss',
    );
    const flattened = records.findIndex(
      ({ kind, body }) =>
        kind === 'request' && (body as { readonly purpose?: unknown }).purpose === 'flatten',
    );
    expect(latchedIn, 'on record before what follows from it').to.be.within(0, flattened - 1);
    const described = day.engine().status().latch;
    await day.restart();
    expect(day.engine().status().latch).to.equal(described);
    expect((await day.finish()).flat).to.equal(true);
    const before = buysOf(day).length;
    await day.runTo(later(next.openAt, minutes(5)));
    await day.restart();
    await day.runTo(later(next.openAt, minutes(8)));
    expect(day.engine().status().latch, 'the next day knows it').to.equal(described);
    expect(buysOf(day)).to.have.length(before);
    const answer = day.engine().resume({ symbol: null, by: 'ann', why: 'a new day', clearLatches: true });
    expect(answer.kind).to.equal('done');
    await day.restart();
    expect(day.engine().status()).to.include({ latch: null });
    expect(
      day
        .engine()
        .status()
        .lanes.map(({ mode }) => mode),
    ).to.deep.equal(SYMBOLS.map(() => 'active'));
  });

  it('a start with the kill switch on opens nothing, and gets out of what it finds', async () => {
    const day = await startHolding({
      strategy: enterAtBars(3, 8, 9, 10, 11, 12),
      params: { holdMax: minutes(15) },
    });
    await until(day, later(openAt, minutes(6)), () => laneOf(day, SPY).shares > 0, 'SPY holds shares');
    day.engine().kill({ by: 'ann (pid 7)', why: 'news' });
    // The process dies in the same instant: no lane has acted on it.
    await day.restart();
    const restartedAt = day.clock.now();
    expect(day.engine().status().latch).to.contain('ann (pid 7)').and.contain('news');
    await day.runTo(later(restartedAt, minutes(10)));
    expect(
      day
        .engine()
        .status()
        .lanes.map(({ shares }) => shares),
    ).to.deep.equal(SYMBOLS.map(() => 0));
    expect(buysOf(day).filter(({ submittedAt }) => submittedAt > restartedAt)).to.deep.equal([]);
    expect((await day.finish()).flat).to.equal(true);
    expect(judge(day)).to.deep.equal([]);
  });

  it('entries stop when getting out would not fit before the close, and what was bought is out in time', async () => {
    const symbols = Array.from(
      { length: 40 },
      (_, n) => `L${String.fromCharCode(65 + (n % 26), 65 + n / 26)}` as Ticker,
    );
    const day = await startHolding({
      symbols,
      strategy: enterAtBars(3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14),
      params: { holdMax: minutes(12) },
      settings: {
        ...risk({ grossExposureMax: dollars(1_000_000) }),
        gateway: { ...GATEWAY, requestsPerMinute: 12 },
      },
      exchange: { account: { cash: dollars(1_000_000), multiplier: 4, shorting: true } },
    });
    expect((await day.finish()).flat).to.equal(true);
    expect(refusals(day)).to.include('noTimeToFlatten');
    expect(judge(day)).to.deep.equal([]);
  });
});

describe('latches over days without a daemon', () => {
  const paramsOf = { params: [laneParams(SPY)], plan: null, picture: null };
  const days = ['2026-11-20', '2026-11-19', '2026-10-06', DAY] as SessionDay[];

  it('are found behind a day that saw nothing but a word of the operator', async () => {
    const journal = memoryJournal();
    const at = START;
    const put = (day: SessionDay, kind: 'session' | 'operator', body: object) =>
      journal.append({ day, at, kind, symbol: null, body });
    await put(DAY, 'session', { what: 'began' });
    await put(DAY, 'operator', { what: 'kill', by: 'ann', why: 'news', at });
    await put('2026-10-06' as SessionDay, 'operator', { what: 'pause', by: 'ann', why: 'no' });
    const found = await findLanes({
      ...paramsOf,
      day: '2026-11-23' as SessionDay,
      pastDays: days,
      journal,
      clock: createVirtualClock(START),
      log: loggingTo([]),
      onStep: () => undefined,
    });
    expect(found.operator.map(({ body }) => (body as { what: string }).what)).to.include('kill');
  });
});
