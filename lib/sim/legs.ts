import { leavesOf, type OrderRecord } from './order-record.ts';
import { endOrder, type Venue } from './venue.ts';

/** The other exit of the same shares: the twin leg of a bracket, or the parent and the leg of an oco. */
export function siblingsOf(order: OrderRecord): readonly OrderRecord[] {
  const family = order.parent ?? order;
  switch (family.orderClass) {
    case 'bracket':
      return order === family ? [] : family.legs.filter((leg) => leg !== order);
    case 'oco':
      return [family, ...family.legs].filter((member) => member !== order);
    default:
      return [];
  }
}

/** Whether a leg waits for its parent: no shares are behind it yet. */
const waitsForParent = (order: OrderRecord): boolean =>
  order.parent !== null && order.parent.orderClass !== 'oco' && order.parent.status !== 'filled';

/** Whether another order already holds the shares this one would sell: exits of one block hold it once. */
export const sharesAreHeldBySibling = (order: OrderRecord): boolean =>
  order.status === 'held' || waitsForParent(order);

/** After a fill: of two exits on one block, the other shrinks with what is left and ends when nothing is. */
export function settleSiblings(venue: Venue, order: OrderRecord): void {
  for (const sibling of siblingsOf(order)) {
    if (order.status === 'filled') endOrder(venue, sibling, 'canceled');
    else if (sibling.qty !== null) sibling.qty = sibling.filledQty + leavesOf(order);
  }
}

/** When an order ends unfilled its family ends with it: legs of a parent, the twin of an exit. */
export function endFamily(venue: Venue, order: OrderRecord, how: 'canceled' | 'expired'): void {
  for (const sibling of siblingsOf(order)) endOrder(venue, sibling, how);
  if (order.status !== 'filled' && order.status !== 'replaced')
    for (const leg of order.legs) endOrder(venue, leg, how);
}
