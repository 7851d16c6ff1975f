import { unreachable } from '../domain/invariant.ts';
import { roundShares } from './amounts.ts';
import type { Assets } from './assets.ts';
import { cancel, submit } from './entry.ts';
import type { ExchangeAction } from './exchange-api.ts';
import type { Market } from './market.ts';
import { isOver, type OrderRecord } from './order-record.ts';
import { replace } from './replacing.ts';
import { arriveCancel, endByVenue } from './router.ts';
import { report, setStatus, showHolding, type Venue } from './venue.ts';

type Match = Extract<ExchangeAction, { kind: 'cancelByHand' }>['match'];

/** Does to the market or the account what a person, the venue or a test script does. */
export function act(venue: Venue, market: Market, assets: Assets, action: ExchangeAction): void {
  switch (action.kind) {
    case 'setPosition': {
      // A transfer of shares: cash does not move.
      const qty = roundShares(action.qty);
      if (qty === 0) venue.account.holdings.delete(action.symbol);
      else venue.account.holdings.set(action.symbol, { qty, cost: qty * action.averagePrice });
      showHolding(venue, action.symbol);
      return;
    }
    case 'foreignOrder':
      submit(venue, action.request, assets.find(action.request.symbol ?? ''));
      return;
    case 'cancelByHand':
      for (const order of matching(venue, action.match)) cancelNow(venue, order);
      return;
    case 'replaceByHand': {
      const order = matching(venue, action.match)[0];
      if (order !== undefined) replace(venue, order.id, action.changes, assets.find(order.symbol));
      return;
    }
    case 'endOrder': {
      const order = venue.orders.get(action.id);
      if (order !== undefined) endByVenue(venue, order, action.how);
      return;
    }
    case 'halt':
      market.setHalt(action.symbol, 'halted', action.code, action.reason);
      return;
    case 'resume':
      market.setHalt(action.symbol, 'trading', 'T', '');
      return;
    default:
      unreachable(action);
  }
}

function matching(venue: Venue, match: Match): readonly OrderRecord[] {
  return [...venue.open].filter(
    (order) =>
      !isOver(order) &&
      (match.side === undefined || order.side === match.side) &&
      (match.symbol === undefined || order.symbol === match.symbol),
  );
}

/** Somebody else's cancel is in the book at once: what the tests are after is the surprise, not its latency. */
function cancelNow(venue: Venue, order: OrderRecord): void {
  if (order.status === 'pending_cancel' || order.status === 'pending_replace') {
    cancel(venue, order.id);
    return;
  }
  order.statusBefore = order.status;
  order.cancelRequestedAt = venue.now;
  setStatus(venue, order, 'pending_cancel');
  report(venue, 'pending_cancel', order);
  arriveCancel(venue, order);
}
