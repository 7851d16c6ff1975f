/** A line that carries a trap's remedy, in a built file, and what it becomes when the remedy is taken out. */
export type Mutation = {
  readonly trap: string;
  /** What the published script does. */
  readonly script: string;
  /** What is taken out, as in "H1 without ...". */
  readonly remedy: string;
  /** In the build. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly replace: string;
};

export const MUTATIONS: readonly Mutation[] = [
  {
    trap: 'H1',
    script: 'sells at 15:55 while its resting exit holds the shares; refused until the close',
    remedy: 'the cancel of the resting exit before the sell',
    file: 'lib/domain/lane-step.js',
    find: 'if (!unwanted || !isLive(order))',
    replace: 'if (order)',
  },
  {
    trap: 'H2',
    script: "after that ignores the exit's late fill and sells the shares again: an accidental short",
    remedy: 'the `closing` state: the wait until the fills of an ended order add up',
    file: 'lib/domain/order.js',
    find: 'bookedQty(ledger) >= Math.min(cumQty, intent.qty)',
    replace: 'true',
  },
  {
    trap: 'H3',
    script: 'sends an exit price between two ticks, is refused and never tries again',
    remedy: 'the rounding of sells up to the tick',
    file: 'lib/domain/money.js',
    find: 'return (Math.ceil(at / tick) * tick);',
    replace: 'return at;',
  },
  {
    trap: 'H4',
    script: 'restarted while it holds shares, has no exit until 15:55',
    remedy: "the look at the broker's orders of the day where the journal says nothing",
    file: 'lib/engine/opening.js',
    find: 'return laneFromBroker(own, plan, picture, clock.now());',
    replace: 'return openLane(own);',
  },
  {
    trap: 'H5',
    script: 'restarted in a partial buy, takes the buy for its exit',
    remedy: 'telling a buy from an exit among the orders found at a restart',
    file: 'lib/domain/lane-book.js',
    find: "if (order.intent.side === 'buy')\n        return { kind: 'entering', order, patienceFrom: since };",
    replace: '',
  },
  {
    trap: 'H6',
    script: 'a cancel that loses the race against the fill is answered 422, and that ends every symbol',
    remedy: 'the look at an order whose cancel was refused',
    file: 'lib/engine/order-tracker.js',
    find: "if (outcome.kind !== 'requested')",
    replace: 'if (false)',
  },
  {
    trap: 'H7',
    script: 'takes a submit that timed out for not sent, and buys twice',
    remedy: 'the look-up of an unknown outcome (it is taken for a refusal)',
    file: 'lib/engine/order-tracker.js',
    find: "tracked.phase = 'unknown';",
    replace:
      "tracked.phase = 'refused'; events.onVerdict(symbol, id, { kind: 'rejected', code: 'other', text: '' }); break;",
  },
  {
    trap: 'H8',
    script: 'takes the fill of a manual order for its own and sells the shares of others',
    remedy: 'the check of the order id on a report',
    file: 'lib/engine/order-tracker.js',
    find: 'const tracked = find(report.clientOrderId, report.brokerOrderId);',
    replace:
      'const tracked = find(report.clientOrderId, report.brokerOrderId) ?? [...index.of(report.symbol)].at(-1) ?? null;',
  },
  {
    trap: 'H9',
    script: 'sends a buy of no shares on every signal when a share costs more than the lot',
    remedy: 'the refusal of an entry of no shares',
    file: 'lib/domain/lane-entry.js',
    find: 'if (sharesFor(params.lot, entryLimit(mark.price)) === 0)',
    replace: 'if (false)',
  },
  {
    trap: 'H10',
    script: 'knows no `expired`, `done_for_day` or `replaced`, and is stuck',
    remedy: '`expired`, `done_for_day` and `replaced` among the ends of an order',
    file: 'lib/domain/execution.js',
    find: "case 'expired':\n        case 'rejected':\n        case 'replaced':\n        case 'done_for_day':\n            return true;",
    replace: "case 'rejected':\n            return true;",
  },
  {
    trap: 'H11',
    script: 'answers an exit canceled by hand with an instant market sell',
    remedy: 'the limit of an exit that follows one that ended on its own',
    file: 'lib/domain/lane-exit.js',
    find: "price: purpose === 'exit'",
    replace: "price: purpose === 'exit' && !lane.holding?.failures",
  },
  {
    trap: 'H12',
    script: 'answers a refusal with the next order at once, at the speed of the socket',
    remedy: 'the growing pause',
    file: 'lib/domain/lane-exit.js',
    find: 'return Math.min(doubled, params.exitRetryMax);',
    replace: 'return 0;',
  },
  {
    trap: 'H13',
    script: 'ends the day at 16:00 on half-days too',
    remedy: "the close of the broker's calendar (it is 16:00 every day)",
    file: 'lib/domain/session.js',
    find: 'before(session.closeAt, flattenBeforeClose)',
    replace: 'before(session.openAt + 23_400_000_000, flattenBeforeClose)',
  },
  {
    trap: 'H14',
    script: 'asks for a position that lags behind the fill, gets 404 and is left without order or exit',
    remedy: 'the second and third look before a disagreement counts',
    file: 'lib/engine/reconciler.js',
    find: 'suspicion, settings.passes,',
    replace: 'suspicion, 1,',
  },
  {
    trap: 'H15',
    script: 'uses a last trade between two ticks as its limit and is refused',
    remedy: 'the rounding of buys down to the tick',
    file: 'lib/domain/lane-entry.js',
    find: 'roundDownToTick(last)',
    replace: 'last',
  },
  {
    trap: 'H16',
    script: 'sends a second market sell before it has seen the fill of the first',
    remedy: 'the wait for the end of a market sell',
    file: 'lib/domain/lane-step.js',
    find: "if (!('order' in stage) || stage.order.kind !== 'done')",
    replace: "if (!('order' in stage) || (stage.order.kind !== 'done' && stage.kind !== 'liquidating'))",
  },
];
