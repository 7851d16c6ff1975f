import type { ExecutionReport } from './execution.ts';
import { isEnd } from './execution.ts';
import { bookedNotional, bookedQty, bookReport, EMPTY_LEDGER, type FillLedger } from './fills.ts';
import type { OrderIntent } from './intent.ts';
import type { SubmitVerdict } from './lane-types.ts';
import { cash, type Price, type Qty, qty } from './money.ts';
import type { Trade } from './position.ts';
import type { Micros } from './time.ts';

/**
 * One order of ours, from the decision to the last share accounted for.
 *
 * 1. States never go back: `inFlight → working → canceling → closing → done`. Two exceptions, where `done` proves to
 *    have been wrong: an end that tells of more shares than we booked re-opens `closing`, and a report about an order
 *    that we only believed to have never arrived makes it `working`.
 * 2. Fills count in every state, `done` included; an execution counts once.
 * 3. `closing` lasts until our fills add up to the broker's total. Nobody may act on the order's shares before.
 * 4. All shares filled is an end, whatever became of the report that says so.
 */
export type Order = OrderBase &
  (
    | { /** Sent or about to be; nothing proven. */ readonly kind: 'inFlight' }
    | { /** The broker has it; it can fill. */ readonly kind: 'working' }
    | {
        readonly kind: 'canceling';
        readonly requestedAt: Micros;
        /** Whether the broker is known to have the order; if not, a refused submit still ends it. */
        readonly proven: boolean;
      }
    | { readonly kind: 'closing'; readonly ending: Ending; readonly cumQty: Qty; readonly endedAt: Micros }
    | { readonly kind: 'done'; readonly ending: Ending; readonly endedAt: Micros }
  );

type OrderBase = { readonly intent: OrderIntent; readonly ledger: FillLedger };

/**
 * How an order ended. The broker's words by report, `denied` and `lapsed` (waited too long in the queue) by our own
 * house, `absent` when the broker was asked until it was certain that it never got it.
 */
export type Ending =
  | 'filled'
  | 'canceled'
  | 'expired'
  | 'rejected'
  | 'replaced'
  | 'doneForDay'
  | 'denied'
  | 'lapsed'
  | 'absent';

export type OrderEvent =
  /** A report that the order is alive. */
  | { readonly kind: 'seenAlive' }
  /** A report that it can fill no more. */
  | { readonly kind: 'seenEnded'; readonly ending: Ending; readonly cumQty: Qty; readonly at: Micros }
  /** A report we cannot read: it proves that the order exists and nothing else. */
  | { readonly kind: 'seenUnclear' }
  /** The answer to the submit. */
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly ending: Ending; readonly at: Micros }
  | { readonly kind: 'cancelRequested'; readonly at: Micros };

export type InOrder<S extends Order['kind']> = Extract<Order, { kind: S }>;
type On<E extends OrderEvent['kind']> = Extract<OrderEvent, { kind: E }>;
export type OrderTable = {
  readonly [S in Order['kind']]: {
    readonly [E in OrderEvent['kind']]: (order: InOrder<S>, event: On<E>) => Order;
  };
};

const stay = <S extends Order>(order: S): S => order;
const works = ({ intent, ledger }: OrderBase): Order => ({ kind: 'working', intent, ledger });
const proves = (order: InOrder<'canceling'>): Order => ({ ...order, proven: true });

const ends = ({ intent, ledger }: OrderBase, { ending, cumQty, at }: On<'seenEnded'>): Order =>
  bookedQty(ledger) >= Math.min(cumQty, intent.qty)
    ? { kind: 'done', intent, ledger, ending, endedAt: at }
    : {
        kind: 'closing',
        intent,
        ledger,
        ending,
        cumQty: qty(Math.min(cumQty, intent.qty)),
        endedAt: at,
      };

/** Endings that we concluded; only the broker's word makes an ending final. */
const isOwnConclusion = (ending: Ending): boolean =>
  ending === 'absent' || ending === 'lapsed' || ending === 'denied';
const revives = (order: InOrder<'done'>): Order => (isOwnConclusion(order.ending) ? works(order) : order);

const fails = ({ intent, ledger }: OrderBase, { ending, at }: On<'refused'>): Order => ({
  kind: 'done',
  intent,
  ledger,
  ending,
  endedAt: at,
});

/** What each event makes of each state. Exported so that tests can count that every cell was reached. */
export const ORDER_TABLE: OrderTable = {
  inFlight: {
    seenAlive: works,
    seenEnded: ends,
    seenUnclear: works,
    accepted: works,
    refused: fails,
    cancelRequested: ({ intent, ledger }, { at }) => ({
      kind: 'canceling',
      intent,
      ledger,
      requestedAt: at,
      proven: false,
    }),
  },
  working: {
    seenAlive: stay,
    seenEnded: ends,
    seenUnclear: stay,
    accepted: stay,
    // The broker has shown that it has the order: an answer that says otherwise is not believed, polling will tell.
    refused: stay,
    cancelRequested: ({ intent, ledger }, { at }) => ({
      kind: 'canceling',
      intent,
      ledger,
      requestedAt: at,
      proven: true,
    }),
  },
  canceling: {
    // Also what follows a refused cancel: the request is simply repeated after a while.
    seenAlive: proves,
    seenEnded: ends,
    seenUnclear: proves,
    accepted: proves,
    refused: (order, event) => (order.proven ? order : fails(order, event)),
    cancelRequested: (order, { at }) => ({ ...order, requestedAt: at }),
  },
  closing: {
    seenAlive: stay,
    seenEnded: (order, event) => ends(order, { ...event, cumQty: qty(Math.max(order.cumQty, event.cumQty)) }),
    seenUnclear: stay,
    accepted: stay,
    refused: stay,
    cancelRequested: stay,
  },
  done: {
    seenAlive: revives,
    seenEnded: (order, event) => (bookedQty(order.ledger) >= event.cumQty ? order : ends(order, event)),
    seenUnclear: revives,
    accepted: stay,
    refused: stay,
    cancelRequested: stay,
  },
};

export function openOrder(intent: OrderIntent): InOrder<'inFlight'> {
  return { kind: 'inFlight', intent, ledger: EMPTY_LEDGER };
}

export function reduceOrder(order: Order, event: OrderEvent): Order {
  // The table's type proves that each cell takes exactly this pair; the compiler cannot follow the double look-up.
  const cell = ORDER_TABLE[order.kind][event.kind] as (order: Order, event: OrderEvent) => Order;
  return cell(order, event);
}

export type Reported = {
  readonly order: Order;
  /** Shares and money this report added. */
  readonly trade: Trade;
  readonly overfill: boolean;
};

/** Books what a report says, then moves the state. */
export function applyReport(order: Order, report: ExecutionReport, at: Micros): Reported {
  const { ledger, overfill } = bookReport(order.ledger, order.intent.qty, report, fallbackPx(order.intent));
  const moved = reduceOrder({ ...order, ledger }, eventOf(report, at));
  return { order: settle(moved, at), trade: difference(order.ledger, ledger), overfill };
}

export function applyVerdict(order: Order, verdict: SubmitVerdict, at: Micros): Order {
  return reduceOrder(order, verdictEvent(verdict, at));
}

/** Shares that may still be filled at the broker; 0 once it ended. */
export function leavesQty(order: Order): Qty {
  return isLive(order) ? qty(order.intent.qty - bookedQty(order.ledger)) : qty(0);
}

/** Whether it may still fill. */
export const isLive = (order: Order): boolean =>
  order.kind === 'inFlight' || order.kind === 'working' || order.kind === 'canceling';

/** Rules 3 and 4: the sums decide. */
function settle(order: Order, at: Micros): Order {
  const booked = bookedQty(order.ledger);
  const { intent, ledger } = order;
  if (order.kind === 'closing')
    return booked >= order.cumQty
      ? { kind: 'done', intent, ledger, ending: order.ending, endedAt: order.endedAt }
      : order;
  if (order.kind !== 'done' && booked >= intent.qty)
    return { kind: 'done', intent, ledger, ending: 'filled', endedAt: at };
  return order;
}

function eventOf(report: ExecutionReport, at: Micros): OrderEvent {
  const { status, cumQty } = report;
  if (isEnd(status)) return { kind: 'seenEnded', ending: endingOf(status), cumQty, at };
  // `calculated`: done, its figures still being worked out; the next report tells more.
  if (status === 'unrecognized' || status === 'calculated') return { kind: 'seenUnclear' };
  return { kind: 'seenAlive' };
}

function endingOf(status: ExecutionReport['status']): Ending {
  switch (status) {
    case 'canceled':
    case 'expired':
    case 'rejected':
    case 'replaced':
      return status;
    case 'done_for_day':
      return 'doneForDay';
    default:
      return 'filled';
  }
}

function verdictEvent(verdict: SubmitVerdict, at: Micros): OrderEvent {
  switch (verdict.kind) {
    case 'accepted':
      return { kind: 'accepted' };
    case 'expired':
      return { kind: 'refused', ending: 'lapsed', at };
    default:
      return { kind: 'refused', ending: verdict.kind, at };
  }
}

function difference(before: FillLedger, after: FillLedger): Trade {
  return {
    qty: qty(bookedQty(after) - bookedQty(before)),
    notional: cash(bookedNotional(after) - bookedNotional(before)),
  };
}

const fallbackPx = ({ price, mark }: OrderIntent): Price =>
  price.type === 'limit' ? price.limit : (mark?.price ?? (0 as Price));
