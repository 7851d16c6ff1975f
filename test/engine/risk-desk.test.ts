import { expect } from 'chai';
import type { ClientOrderId } from '../../lib/domain/ids.ts';
import type { Lane } from '../../lib/domain/lane.ts';
import type { Mark } from '../../lib/domain/market.ts';
import { cash, qty, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { createRiskDesk } from '../../lib/engine/risk-desk.ts';
import { at, only, Story, submits, usd } from '../lane/story.ts';

const dollars = (amount: number) => cash(amount * UNITS_PER_USD);
const NOBODY = '' as ClientOrderId;
const armed = { loss: { kind: 'armed' }, killed: false } as const;

function deskOf(lane: () => Lane, mark: () => Mark | null = () => ({ price: usd(90), at: at('10:00') })) {
  const state = { halted: false };
  const desk = createRiskDesk({
    lanes: () => [lane()],
    lane,
    mark,
    band: () => null,
    isHalted: () => state.halted,
  });
  return { desk, state };
}

describe('risk desk', () => {
  it('counts an entry at its limit from the decision on, then its shares at the mark', () => {
    const story = new Story();
    const { desk } = deskOf(() => story.lane);
    expect(desk.grossExposure()).to.equal(0);
    const entry = story.enter();
    expect(desk.grossExposure(), '20 shares at 100 in flight').to.equal(dollars(2_000));
    expect(desk.view(entry, armed).grossExposure, 'an intent is not counted against itself').to.equal(0);
    story.report(entry, 'partially_filled', { lastQty: 5, lastPx: usd(100) });
    expect(desk.grossExposure(), '5 at the mark of 90, 15 at the limit').to.equal(dollars(5 * 90 + 15 * 100));
  });

  it('says of many lanes at any time what a desk says that has seen none of them before', () => {
    const stories = Array.from({ length: 7 }, () => new Story());
    const deps = {
      lanes: () => stories.map(({ lane }) => lane),
      lane: () => (stories[0] as Story).lane,
      mark: () => ({ price: usd(90), at: at('10:00') }),
      band: () => null,
      isHalted: () => false,
    };
    const desk = createRiskDesk(deps);
    const figures = ({
      grossExposure,
      dayPnl,
      knownPnl,
      flattenNeeds,
    }: ReturnType<typeof createRiskDesk>) => ({
      exposure: grossExposure(),
      pnl: [dayPnl(), knownPnl()],
      needs: flattenNeeds(() => false),
    });
    const seen = new Set<string>();
    const agree = (): void => {
      expect(figures(desk)).to.deep.equal(figures(createRiskDesk(deps)));
      seen.add(JSON.stringify(figures(desk)));
    };
    agree();
    for (const story of [...stories, ...stories]) {
      const entry = story.enter();
      agree();
      story.report(entry, 'filled', { lastQty: entry.qty, lastPx: usd(100) });
      agree();
      const exit = only(submits(story.commands.slice(-1)));
      story.report(exit, 'filled', { lastQty: exit.qty, lastPx: usd(99) });
      agree();
    }
    expect(seen.size, 'the figures moved').to.be.greaterThan(20);
    expect(desk.dayPnl()).to.equal(dollars(-20 * 14));
  });

  it('counts the missing fills of an entry that has ended at its limit', () => {
    const story = new Story();
    const { desk } = deskOf(() => story.lane);
    const entry = story.enter();
    story.report(entry, 'canceled', { cumQty: qty(8) });
    expect(story.lane.stage).to.have.nested.property('order.kind', 'closing');
    expect(desk.grossExposure()).to.equal(dollars(800));
  });

  it('does not know the exposure or the profit of shares without a last trade, but what was lost for certain', () => {
    const story = new Story();
    let mark: Mark | null = { price: usd(99), at: at('10:00') };
    const { desk } = deskOf(
      () => story.lane,
      () => mark,
    );
    story.buy();
    expect(desk.dayPnl()).to.equal(dollars(-20));
    mark = null;
    expect([desk.dayPnl(), desk.grossExposure()]).to.deep.equal([null, null]);
    expect(desk.knownPnl()).to.equal(0);
  });

  it('says what getting out takes: cancels, sells, and what no sell can leave for', () => {
    const nothing = { cancels: 0, canceling: 0, sells: 0, selling: 0, stuck: 0 };
    const story = new Story();
    const { desk, state } = deskOf(() => story.lane);
    const needs = (isWaiting = (_: ClientOrderId) => false) => desk.flattenNeeds(isWaiting);
    expect(needs()).to.deep.equal(nothing);
    const entry = story.enter();
    expect(needs(), 'an entry may fill until it is canceled').to.deep.equal({
      ...nothing,
      cancels: 1,
      sells: 1,
    });
    expect(
      needs(() => true),
      'one in our queue is taken back',
    ).to.deep.equal({ ...nothing, sells: 1 });
    const exit = only(submits(story.report(entry, 'filled', { lastQty: 20 })));
    expect(needs()).to.deep.equal({ ...nothing, cancels: 1, sells: 1 });
    story.mode('flattening');
    expect(needs()).to.deep.equal({ ...nothing, canceling: 1, sells: 1 });
    state.halted = true;
    expect(needs()).to.deep.equal({ ...nothing, canceling: 1, stuck: 1 });
    state.halted = false;
    story.report(exit, 'canceled', {});
    expect(needs(), 'the market sell is out').to.deep.equal({ ...nothing, selling: 1 });
  });

  it('reserves the money of an entry until it is over, or in the broker figure', () => {
    const story = new Story();
    const { desk } = deskOf(() => story.lane);
    const entry = story.enter();
    const reserved = (): number => desk.view({ ...entry, clientOrderId: NOBODY }, armed).reserved;
    expect(desk.view(entry, armed).buyingPower, 'never read').to.equal(null);
    desk.reserve(entry);
    expect(reserved()).to.equal(dollars(2_000));
    const done = desk.reading();
    done(null);
    expect(reserved(), 'a failed read tells nothing').to.equal(dollars(2_000));
    desk.reading()(dollars(50_000));
    expect(reserved(), 'asked before the order was there').to.equal(dollars(2_000));
    story.report(entry, 'new', {});
    desk.reading()(dollars(48_000));
    expect(reserved(), 'in the figure').to.equal(0);
    desk.reserve(entry);
    desk.release(entry.clientOrderId);
    expect(reserved()).to.equal(0);
  });
});
