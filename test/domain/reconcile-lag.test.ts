import { expect } from 'chai';
import {
  type BrokerPicture,
  beliefOf,
  type LaneBelief,
  NO_SUSPICION,
  reconcile,
} from '../../lib/domain/reconcile.ts';
import { at, only, SPY, Story } from '../lane/story.ts';

const PASSES = 3;

/** Lane and broker, look after look, as shares of each; the kind of finding at the last one. */
function looks(...shares: readonly (readonly [lane: number, broker: number])[]): string {
  let suspicion = NO_SUSPICION;
  let last = '';
  for (const [lane, broker] of shares) {
    const belief: LaneBelief = { symbol: SPY, shares: lane, orders: [] };
    const picture: BrokerPicture = {
      takenAt: at('10:00'),
      openOrders: [],
      ordersSince: [],
      positions: [{ symbol: SPY, shares: broker }],
      fills: null,
    };
    const result = reconcile([belief], picture, suspicion, PASSES);
    suspicion = result.suspicion;
    last = only(only(result.symbols).findings).kind;
  }
  return last;
}

describe('reconciliation beside views that lag', () => {
  it('takes figures that move along with our trading for no disagreement', () => {
    expect(looks([27, 0], [28, 27], [74, 28])).to.equal('suspected');
    expect(looks([74, 28], [74, 28], [74, 28])).to.equal('discrepancy');
  });

  it('takes no order for missing that was never proven, canceled or not', () => {
    const story = new Story();
    story.enter();
    story.mode('flattening');
    expect(only(beliefOf(story.lane).orders).state).to.equal('inFlight');
  });
});
