import { expect } from 'chai';
import type { OrderIntent } from '../../lib/domain/intent.ts';
import type { Micros } from '../../lib/domain/time.ts';
import { at, cancels, only, Story, submits, usd } from './story.ts';

const WASH_TRADE = {
  kind: 'rejected',
  code: 'washTrade',
  text: 'potential wash trade detected. use complex orders',
  available: null,
} as const;

/** A lane whose holding time is up, with its market sell on the way. */
function bailingOut(): { story: Story; sell: OrderIntent } {
  const story = new Story();
  story.buy();
  const exit = only(submits(story.commands).slice(1));
  story.mode('flattening');
  story.report(exit, 'canceled');
  expect(story.sent().at(-1)).to.equal('sell 20 market');
  return { story, sell: only(submits(story.commands).slice(2)) };
}

const later = (story: Story, seconds: number): Micros => (story.now + seconds * 1_000_000) as Micros;

describe("market sells against somebody's bid", () => {
  it('are followed by a limit below the market, which is no wash trade with a lower bid', () => {
    const { story, sell } = bailingOut();
    story.verdict(sell, WASH_TRADE);
    story.pass(at('09:52:00'));
    expect(story.sent().at(-1)).to.equal('sell 20 limit 99');
    const limit = only(submits(story.commands).slice(3));
    story.report(limit, 'filled', { lastQty: 20 });
    expect(story.held).to.equal(0);
  });

  it('come nearer to the market when the bid is there too, and never give up', () => {
    const { story, sell } = bailingOut();
    story.verdict(sell, WASH_TRADE);
    story.pass(at('09:52:00'));
    story.verdict(only(submits(story.commands).slice(3)), WASH_TRADE);
    story.pass(at('09:52:30'));
    expect(story.sent().at(-1)).to.equal('sell 20 limit 99.5');
  });

  it('are priced anew when the market has left them behind', () => {
    const { story, sell } = bailingOut();
    story.verdict(sell, WASH_TRADE);
    story.pass(later(story, 2));
    const limit = only(submits(story.commands).slice(3));
    story.report(limit, 'new');
    const canceled = cancels(story.commands).length;
    story.pass(later(story, 10));
    expect(cancels(story.commands), 'it may still fill').to.have.length(canceled);
    story.pass(later(story, 6));
    expect(cancels(story.commands).slice(canceled)).to.deep.equal([limit.clientOrderId]);
    story.report(limit, 'canceled');
    story.pass(later(story, 60), usd(90));
    expect(story.sent().at(-1)).to.equal('sell 20 limit 89.1');
  });
});
