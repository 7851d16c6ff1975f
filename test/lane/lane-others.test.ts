import { expect } from 'chai';
import type { ClientOrderId } from '../../lib/domain/ids.ts';
import type { OrderIntent } from '../../lib/domain/intent.ts';
import { notional, qty } from '../../lib/domain/money.ts';
import { at, cancels, only, Story, submits, usd } from './story.ts';

/** A lane with 20 shares and its resting exit. */
function holding(): { story: Story; exit: OrderIntent } {
  const story = new Story();
  story.buy();
  return { story, exit: only(submits(story.commands).slice(1)) };
}

describe('exits in the way of others', () => {
  it('follow an entry that fills in a symbol that was halted meanwhile', () => {
    const story = new Story();
    const entry = story.enter();
    expect(cancels(story.mode('halted'))).to.deep.equal([entry.clientOrderId]);
    story.report(entry, 'filled', { lastQty: 20 });
    expect(story.sent()).to.deep.equal(['buy 20 limit 100', 'sell 20 limit 100']);
  });

  it('take what the refusal said is available, then the rest', () => {
    const { story, exit } = holding();
    story.verdict(exit, { kind: 'rejected', code: 'heldByOthers', text: 'no', available: qty(14) });
    story.pass(at('09:51:10'));
    const some = only(submits(story.commands).slice(2));
    expect(story.sent().at(-1)).to.equal('sell 14 limit 100');
    story.report(some, 'filled', { lastQty: 14 });
    expect(story.sent().at(-1)).to.equal('sell 6 limit 100');
    const rest = only(submits(story.commands).slice(3));
    story.verdict(rest, { kind: 'rejected', code: 'heldByOthers', text: 'no', available: qty(0) });
    story.pass(at('09:51:30'));
    expect(story.sent().slice(4), 'nothing is free: tried again, paced').to.deep.equal(['sell 6 limit 100']);
  });

  it('count what the successor of a partly filled exit carries on once', () => {
    const { story, exit } = holding();
    story.report(exit, 'partially_filled', { lastQty: 5, cumQty: qty(5) });
    story.report(exit, 'replaced', { cumQty: qty(5) });
    const successor = { ...exit, clientOrderId: 'by-hand' as ClientOrderId };
    const carried = { qty: qty(5), notional: notional(usd(100), qty(5)) };
    story.tell({ kind: 'succeeded', clientOrderId: exit.clientOrderId, successor, carried });
    story.report(successor, 'new', { source: 'query', cumQty: qty(5) });
    expect(story.held).to.equal(15);
    expect(cancels(story.commands), 'it sells 15 more and no more').to.deep.equal([]);
    story.report(successor, 'filled', { lastQty: 15, cumQty: qty(20) });
    expect(story.held).to.equal(0);
    expect(only(story.trips())).to.include({ qty: 20, proceeds: 20 * usd(100) });
  });
});
