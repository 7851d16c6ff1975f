import { invariant } from '../domain/invariant.ts';
import type { Bar } from '../domain/market.ts';
import type { Price } from '../domain/money.ts';
import type { Micros } from '../domain/time.ts';
import { valueAccount } from './account.ts';
import { act } from './actions.ts';
import { createAssets } from './assets.ts';
import { finishBar } from './bars.ts';
import { type Book, markOf } from './book.ts';
import { withDrawnPrints } from './draw-prints.ts';
import { cancel, submit } from './entry.ts';
import type { Answer, Exchange, ExchangeOptions, SimOrder, Tape } from './exchange-api.ts';
import { sharesAreHeldBySibling } from './legs.ts';
import { createMarket } from './market.ts';
import { type OrderRecord, snapshot } from './order-record.ts';
import { accountView, closingRequest, ledgerOf, listOrders, positionOf, shownHoldings } from './queries.ts';
import { createRandom } from './random.ts';
import { isRefused, notFound, ok, unprocessable } from './refusals.ts';
import { replace } from './replacing.ts';
import { activateLeg, expireOrders, reviveOrders, runClosingAuction } from './router.ts';
import { type Boundary, boundariesOf, clockAt, midnightOf } from './session-clock.ts';
import { createVenue, type Venue } from './venue.ts';

/**
 * The embedded exchange. Whatever of the tape lies before `startAt` is played at once: bars, prints and quotes of the
 * morning are behind it when the first client comes.
 */
export function createExchange(options: ExchangeOptions, tape: Tape): Exchange {
  const random = createRandom(options.seed);
  const source = tape.complete === true ? tape : withDrawnPrints(tape, random.fork('drawn prints'));
  const venue = createVenue(options, source);
  venue.activate = (order) => activateLeg(venue, order);
  const market = createMarket(venue);
  const assets = createAssets(tape.symbols);
  const boundaries = boundariesOf(options.sessions);
  const accountId = random.fork('account').uuid();
  const timeline = createTimeline(venue, boundaries, market);

  const assetOf = (symbol: string | null) => (symbol === null ? null : assets.find(symbol));
  const bookAt = (symbol: string): Book | undefined => venue.books.get(symbol as Book['symbol']);
  const found = (order: OrderRecord | undefined, message: string): Answer<SimOrder> =>
    order === undefined ? notFound(message) : ok(snapshot(order));
  const position: Exchange['position'] = (symbol) => {
    const asset = assets.find(symbol);
    if (asset === null) return unprocessable(`symbol not found: ${symbol}`);
    const held = positionOf(venue, asset, shownHoldings(venue));
    return held === null ? notFound('position does not exist') : ok(held);
  };
  const close = (
    symbol: string,
    part: Parameters<Exchange['closePosition']>[1],
    heldIsReleased: boolean,
  ): Answer<SimOrder> => {
    const asset = assets.find(symbol);
    if (asset === null) return unprocessable(`symbol not found: ${symbol}`);
    const held = positionOf(venue, asset, venue.account.holdings);
    if (held === null) return notFound('position does not exist');
    const request = closingRequest(held, part);
    return isRefused(request) ? request : submit(venue, request, asset, heldIsReleased);
  };
  const positions: Exchange['positions'] = () =>
    [...shownHoldings(venue).keys()].flatMap((symbol) => {
      const asset = assets.find(symbol);
      const held = asset === null ? null : positionOf(venue, asset, shownHoldings(venue));
      return held === null ? [] : [held];
    });
  const cancelAll: Exchange['cancelAllOrders'] = () =>
    [...venue.open]
      // A twin exit ends with the order that holds its shares, a leg that waits with its parent.
      .filter((order) => order.status !== 'pending_cancel' && !sharesAreHeldBySibling(order))
      .map((order) => ({ id: order.id, answer: cancel(venue, order.id) }));

  return {
    options,
    now: () => venue.now,
    nextEventAt: timeline.nextEventAt,
    advanceTo: timeline.advanceTo,

    submitOrder: (request) => submit(venue, request, assetOf(request.symbol)),
    replaceOrder: (id, changes) => replace(venue, id, changes, assetOf(venue.orders.get(id)?.symbol ?? null)),
    cancelOrder: (id) => cancel(venue, id),
    cancelAllOrders: cancelAll,
    order: (id) => found(venue.orders.get(id), 'order not found'),
    orderByClientOrderId: (id) => found(venue.byClientId.get(id), `order not found for ${id}`),
    orders: (query) => listOrders(venue, query),

    positions,
    position,
    closePosition: (symbol, part) => close(symbol, part, false),
    closeAllPositions(cancelOrders) {
      if (cancelOrders) cancelAll();
      return [...venue.account.holdings.keys()].map((symbol) => ({
        symbol,
        answer: close(symbol, null, cancelOrders),
      }));
    },

    account: () => accountView(venue, accountId, `PA${accountId.slice(0, 8).toUpperCase()}`),
    configurations: () => venue.configurations,
    configure(changes) {
      venue.configurations = { ...venue.configurations, ...changes };
      return venue.configurations;
    },
    fills: () => [...venue.fills],

    clock: () => clockAt(options.sessions, venue.now),
    calendar: (from, to) => options.sessions.filter(({ day }) => day >= from && day <= to),
    assets: () => assets.all,
    asset: (symbolOrId) => {
      const asset = assets.find(symbolOrId);
      return asset === null ? notFound(`asset not found for ${symbolOrId}`) : ok(asset);
    },

    bars(symbol, from, to) {
      const book = bookAt(symbol);
      if (book === undefined) return [];
      const bars = book.bars.range(from, to);
      const forming = options.formingBar === true ? finishBar(book.minute, symbol) : null;
      const shows = forming !== null && forming.startAt >= from && forming.startAt <= to;
      return shows ? [...bars, forming] : bars;
    },
    prints: (symbol, from, to) => bookAt(symbol)?.prints.range(from, to) ?? [],
    quotes: (symbol, from, to) => bookAt(symbol)?.quotes.range(from, to) ?? [],
    latestPrint: (symbol) => bookAt(symbol)?.latestPrint ?? null,
    latestQuote: (symbol) => bookAt(symbol)?.quotes.last() ?? null,
    dailyBar: (symbol) => {
      const book = bookAt(symbol);
      return book === undefined ? null : finishBar(book.day, symbol);
    },
    previousDailyBar: (symbol) => {
      const book = bookAt(symbol);
      return book === undefined ? null : (book.previousDay ?? flatDay(book, options));
    },

    onTradeUpdate: (listener) => subscribe(venue.tradeListeners, listener),
    onMarketEvent: (listener) => subscribe(market.listeners, listener),

    act: (action) => act(venue, market, assets, action),
    ledger: () => ledgerOf(venue),
  };
}

/** The day before the tape begins: all that is known of it is its close. */
function flatDay(book: Book, options: ExchangeOptions): Bar | null {
  const [first] = options.sessions;
  if (book.previousClose === 0 || first === undefined) return null;
  const close = book.previousClose as Price;
  const startAt = (midnightOf(first) - 86_400_000_000) as Micros;
  const prices = { open: close, high: close, low: close, close, vwap: close };
  return { symbol: book.symbol, startAt, ...prices, volume: 0, tradeCount: 0 };
}

function subscribe<T>(listeners: T[], listener: T): () => void {
  listeners.push(listener);
  return () => {
    const index = listeners.indexOf(listener);
    if (index >= 0) listeners.splice(index, 1);
  };
}

/** Merges session boundaries, the tape and the exchange's own schedule; at equal instants in that order. */
function createTimeline(
  venue: Venue,
  boundaries: readonly Boundary[],
  market: ReturnType<typeof createMarket>,
): Pick<Exchange, 'nextEventAt' | 'advanceTo'> {
  const { tape, queue } = venue;
  let next = 0;
  let playing = false;
  const boundaryAt = (): number => boundaries[next]?.at ?? Number.POSITIVE_INFINITY;

  const play = (to: Micros): void => {
    for (;;) {
      const item = tape.peek();
      const tapeAt = item === null ? Number.POSITIVE_INFINITY : item.at;
      const ownAt = queue.nextAt();
      const edgeAt = boundaryAt();
      const at = Math.min(tapeAt, ownAt, edgeAt);
      if (at > to || at === Number.POSITIVE_INFINITY) return;
      if (at > venue.now) venue.now = at as Micros;
      if (edgeAt === at) {
        const boundary = boundaries[next++];
        if (boundary !== undefined) cross(venue, market, boundary);
      } else if (item !== null && tapeAt === at) {
        tape.take();
        market.play(item);
      } else queue.runNext();
    }
  };

  const advanceTo = (to: Micros): void => {
    invariant(!playing, 'advanceTo is not called from inside a listener');
    invariant(to >= venue.now, 'exchange time never goes back', { now: venue.now, to });
    playing = true;
    try {
      play(to);
    } finally {
      playing = false;
    }
    venue.now = to;
  };

  const { startAt } = venue.options;
  venue.now = Math.min(startAt, tape.peek()?.at ?? startAt, boundaryAt()) as Micros;
  advanceTo(startAt);
  return {
    advanceTo,
    nextEventAt() {
      const at = Math.min(tape.peek()?.at ?? Number.POSITIVE_INFINITY, queue.nextAt(), boundaryAt());
      return at === Number.POSITIVE_INFINITY ? null : (at as Micros);
    },
  };
}

/** What changes at the edges of a session. */
function cross(venue: Venue, market: ReturnType<typeof createMarket>, boundary: Boundary): void {
  switch (boundary.kind) {
    case 'dayBegins': {
      const { account } = venue;
      const value = valueAccount(account, (symbol) => markOf(venue.books.get(symbol)));
      account.lastEquity = value.equity;
      account.feesToday = 0;
      market.beginDay(boundary.session);
      venue.phase = 'extended';
      return;
    }
    case 'opens':
      venue.phase = 'regular';
      reviveOrders(venue);
      return;
    case 'closes':
      for (const book of venue.books.values()) if (book.closing.length > 0) runClosingAuction(venue, book);
      venue.phase = 'extended';
      expireOrders(venue);
      return;
    case 'dayEnds':
      expireOrders(venue);
      venue.phase = 'closed';
  }
}
