import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { Session } from '../../lib/domain/session.ts';
import { seconds } from '../../lib/domain/time.ts';
import type { AdoptAnswer } from '../../lib/engine/adoption.ts';
import { foreignRequest } from '../parity/foreign-request.ts';
import { type Day, openDay } from '../traps/day.ts';
import { linesOf, lowestPosition, positionOf } from '../traps/judge.ts';
import { crossing, FULL_DAY, minutesOf, usd, utc } from '../traps/minutes.ts';

const AAA = 'AAA' as Ticker;
const BBB = 'BBB' as Ticker;

/** Buys 19 at 100.20 with the bar that ends at 14:52; fills at 14:52:05; then the market stays just below the exit. */
const MORNING = crossing('14:30', 100, new Array<number>(30).fill(100.2));
/** A market that never crosses. */
const FLAT = { from: '14:30', closes: new Array<number>(50).fill(100) };
const SHORT: Session = { ...FULL_DAY, closeAt: utc('15:10:00') };

type Options = Partial<Parameters<typeof openDay>[0]>;

const quiet = (options: Options = {}): Day =>
  openDay({ startAt: '14:45:10', items: minutesOf(AAA, FLAT), session: SHORT, ...options });

function hold(day: Day, qty: number, symbol = AAA): void {
  day.exchange.act({ kind: 'setPosition', symbol, qty, averagePrice: usd(100.3) });
}

const order = (day: Day, side: 'buy' | 'sell', qty: string, limitPrice: string | null): void =>
  day.exchange.act({
    kind: 'foreignOrder',
    request: foreignRequest({ symbol: AAA, side, qty, limitPrice }),
  });

/** Asks for it and lets it happen until `time`. */
async function adopt(day: Day, time: string, symbol: Ticker = AAA): Promise<AdoptAnswer> {
  const asked = day.engine().adopt({ symbol, by: 'ann', why: 'mine' });
  await day.until(time);
  return asked;
}

const laneOf = (day: Day, symbol = AAA) =>
  day
    .engine()
    .status()
    .lanes.find((lane) => lane.symbol === symbol);
const codeOf = (answer: AdoptAnswer): string => (answer.kind === 'refused' ? answer.code : answer.kind);

describe('adopting what is not ours', () => {
  it('shares that were there before the start halt the lane; adopted, they are sold by its ladder, and the day ends flat', async () => {
    const day = quiet();
    hold(day, 12);
    await day.until('14:46:00');
    expect(laneOf(day)).to.include({ mode: 'halted', shares: 0 });
    expect(linesOf(day)).to.deep.equal([]);
    expect(await adopt(day, '14:46:10')).to.deep.equal({
      kind: 'done',
      symbol: AAA,
      shares: 12,
      averagePx: usd(100.3),
      canceled: [],
    });
    expect(laneOf(day)).to.include({ shares: 12, stage: 'exiting' });
    await day.until('14:49:00');
    // Its cost and a cent; held for two minutes from the adoption, then at the market.
    expect(linesOf(day)).to.deep.equal([
      '14:46:00 sell 12 AAA @ 100.31',
      '14:48:00 cancel sell AAA',
      '14:48:00 sell 12 AAA at market',
    ]);
    expect(positionOf(day, AAA)).to.equal(0);
    expect(laneOf(day)).to.include({ mode: 'active', shares: 0, roundTrips: 1 });
    expect(day.engine().status().discrepancies).to.deep.equal([]);
    const said = (await day.journal().read(FULL_DAY.day)).filter(({ kind }) => kind === 'operator');
    expect(said[0]?.body).to.include({ what: 'adopt', by: 'ann', why: 'mine', position: 12 });
    expect(said[1]?.body).to.include({ what: 'adoptAnswered', kind: 'done', shares: 12 });
    await day.until('15:11:00');
    expect(positionOf(day, AAA)).to.equal(0);
  });

  it('a foreign sell that holds the shares and a foreign buy go first; what they still fill is counted', async () => {
    const day = quiet();
    hold(day, 20);
    await day.until('14:45:30');
    order(day, 'sell', '20', '105');
    order(day, 'buy', '5', '90');
    await day.until('14:46:10');
    const answer = await adopt(day, '14:46:20');
    expect(answer).to.include({ kind: 'done', shares: 20 }).and.has.property('canceled').with.lengthOf(2);
    const open = day.exchange.ledger().orders.filter(({ clientOrderId, canceledAt }) => {
      return !clientOrderId.startsWith('scalpd-') && canceledAt === null;
    });
    expect(open, 'every order of others is canceled').to.deep.equal([]);
    await day.until('14:49:00');
    expect(positionOf(day, AAA)).to.equal(0);
    expect(lowestPosition(day, AAA)).to.be.at.least(-20);
    expect(day.logged('operator.adopt')).to.include({ by: 'ann', why: 'mine' });
  });

  it('a foreign order alone is canceled, and the lane trades', async () => {
    const day = quiet({ items: minutesOf(AAA, MORNING) });
    await day.until('14:46:00');
    order(day, 'buy', '5', '90');
    await day.until('14:47:00');
    expect(laneOf(day)).to.include({ mode: 'halted' });
    expect(await adopt(day, '14:47:10')).to.include({ kind: 'done', shares: 0 });
    await day.until('14:53:00');
    expect(linesOf(day)[1], 'after the cancel').to.equal('14:52:00.5 buy 19 AAA @ 100.20');
  });

  it('during a trading halt they are taken over, and sold after it', async () => {
    const day = quiet();
    hold(day, 12);
    await day.until('14:46:00');
    day.exchange.act({ kind: 'halt', symbol: AAA, code: 'H', reason: 'news' });
    await day.until('14:46:30');
    expect(await adopt(day, '14:46:40')).to.include({ kind: 'done', shares: 12 });
    await day.until('14:50:00');
    expect(linesOf(day)).to.deep.equal([]);
    day.exchange.act({ kind: 'resume', symbol: AAA });
    await day.until('14:53:00');
    expect(positionOf(day, AAA)).to.equal(0);
  });

  for (const kept of ['kept', 'lost'] as const)
    it(`survives a restart right after it, the journal ${kept}`, async () => {
      const day = quiet();
      hold(day, 12);
      await day.until('14:46:00');
      expect(await adopt(day, '14:46:02')).to.include({ kind: 'done', shares: 12 });
      day.kill();
      day.restart(kept);
      await day.until('14:47:00');
      expect(laneOf(day)).to.include({ shares: 12, stage: 'exiting' });
      // A sell of ours proves its shares ours, even where nothing tells how they came.
      await day.until('14:50:00');
      expect(positionOf(day, AAA)).to.equal(0);
      expect(lowestPosition(day, AAA)).to.equal(-12);
      await day.until('15:11:00');
      expect(laneOf(day)?.shares).to.equal(0);
    });

  it('refuses with a code that says what is in the way', async () => {
    const day = quiet({ items: [...minutesOf(AAA, MORNING), ...minutesOf(BBB, FLAT)] });
    await day.until('14:46:00');
    expect(codeOf(await adopt(day, '14:46:02'))).to.equal('nothingToAdopt');
    expect(codeOf(await adopt(day, '14:46:03', 'IBM' as Ticker))).to.equal('unknownSymbol');
    hold(day, 3, BBB);
    expect(codeOf(await adopt(day, '14:46:05', BBB)), 'seen once').to.equal('notConfirmed');
    hold(day, 2.5, BBB);
    expect(codeOf(await adopt(day, '14:46:06', BBB))).to.equal('fractions');
    hold(day, -3, BBB);
    expect(codeOf(await adopt(day, '14:46:07', BBB))).to.equal('shortShares');
    await day.until('14:52:30');
    expect(laneOf(day)?.stage).to.equal('exiting');
    expect(codeOf(await adopt(day, '14:52:31'))).to.equal('laneNotSettled');
    day.fail({
      kind: 'rest',
      match: { method: 'GET', path: 'positions', side: null, symbol: null },
      from: null,
      times: 10,
      action: { kind: 'answer', status: 500, body: 'json', accept: false },
    });
    expect(codeOf(await adopt(day, '14:52:40', BBB))).to.equal('brokerUnread');
    await day.until('15:10:30');
    expect(codeOf(await adopt(day, '15:10:31', BBB))).to.equal('sessionClosed');
    const text = (await adopt(day, '15:10:32', BBB)) as { readonly text: string };
    expect(text.text).to.include('open session');
  });

  it('is refused while another adoption of the symbol is under way, and does not count shares that only lag', async () => {
    const day = quiet({ exchange: { positionsLag: 8_000_000 } });
    hold(day, 12);
    await day.until('14:46:02');
    order(day, 'sell', '12', '99.5');
    await day.until('14:46:10');
    expect(positionOf(day, AAA)).to.equal(0);
    const first = day.engine().adopt({ symbol: AAA, by: 'ann', why: 'mine' });
    const second = day.engine().adopt({ symbol: AAA, by: 'bob', why: 'no, mine' });
    await day.until('14:46:45');
    expect(codeOf(await second)).to.equal('busy');
    // The position list went on showing the twelve shares that were sold.
    expect(codeOf(await first)).to.equal('nothingToAdopt');
    await day.until('14:48:00');
    expect(lowestPosition(day, AAA)).to.equal(-12);
    expect(laneOf(day)).to.include({ shares: 0, mode: 'active' });
  });
});

describe("shares of ours that others' hands moved", () => {
  it('a person sells part of our shares: given up once it is proven, the rest is sold, and nothing is sold twice', async () => {
    const day = quiet({ items: minutesOf(AAA, MORNING) });
    await day.until('14:52:30');
    expect(laneOf(day)).to.include({ shares: 19, stage: 'exiting' });
    day.exchange.act({ kind: 'cancelByHand', match: { side: 'sell' } });
    order(day, 'sell', '10', null);
    await day.until('14:53:30');
    expect(day.logged('reconcile.gone')).to.include({ symbol: 'AAA', shares: 10 });
    await day.until('14:57:00');
    expect(positionOf(day, AAA)).to.equal(0);
    expect(lowestPosition(day, AAA)).to.equal(0);
    expect(laneOf(day)).to.include({ shares: 0, mode: 'active' });
    expect(day.engine().status().discrepancies).to.deep.equal([]);
  });

  it('shares that vanish without a sale are a discrepancy; what is left is sold, and adopting ends it', async () => {
    const day = quiet({ items: minutesOf(AAA, MORNING) });
    await day.until('14:52:30');
    day.exchange.act({ kind: 'cancelByHand', match: { side: 'sell' } });
    hold(day, 9);
    await day.until('14:56:30');
    expect(day.engine().status().discrepancies[0]).to.include({ symbol: 'AAA', code: 'sharesMissing' });
    expect(positionOf(day, AAA), 'sold as far as the broker has them').to.equal(0);
    expect(laneOf(day)).to.include({ mode: 'exitOnly', shares: 10 });
    let answer = await adopt(day, '14:57:00');
    // A sell may be on the wire at that very moment.
    if (codeOf(answer) === 'laneNotSettled') answer = await adopt(day, '14:57:20');
    expect(answer).to.include({ kind: 'done', shares: -10 });
    await day.until('14:58:30');
    expect(laneOf(day)).to.include({ shares: 0, mode: 'active' });
  });

  it('an exit that was partly filled and replaced by hand is followed, and its shares are counted once', async () => {
    const day = quiet({
      items: minutesOf(AAA, MORNING),
      exchange: {
        fillRules: [
          {
            match: { side: 'sell' },
            model: { kind: 'partial', pieces: 3, only: 1, delay: seconds(5) },
            times: 1,
          },
        ],
      },
    });
    await day.until('14:52:30');
    expect(laneOf(day)?.shares).to.equal(13);
    const changes = {
      qty: null,
      limitPrice: '100.60',
      timeInForce: null,
      stopPrice: null,
      trail: null,
      clientOrderId: null,
    };
    day.exchange.act({ kind: 'replaceByHand', match: { side: 'sell' }, changes });
    await day.until('14:52:40');
    expect(day.logged('order.replaced')).to.include({ filled: 6, carried: 6 });
    expect(laneOf(day)).to.include({ shares: 13, stage: 'exiting' });
    await day.until('14:53:40');
    expect(day.engine().status().discrepancies).to.deep.equal([]);
    await day.until('14:57:00');
    expect(positionOf(day, AAA)).to.equal(0);
    expect(lowestPosition(day, AAA)).to.equal(0);
    expect(laneOf(day)).to.include({ shares: 0, roundTrips: 1 });
  });
});
