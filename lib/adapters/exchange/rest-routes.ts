import findMyWay from 'find-my-way';
import {
  getAccount,
  getAsset,
  getCalendar,
  getCalendarV3,
  getClock,
  getClockV3,
  getConfigurations,
  getPortfolioHistory,
  listActivities,
  listAssets,
  patchConfigurations,
} from './rest-account.ts';
import {
  barHistory,
  latestBars,
  latestQuotes,
  latestTrades,
  quoteHistory,
  snapshots,
  tradeHistory,
} from './rest-market.ts';
import {
  cancelAllOrders,
  cancelOrder,
  closeAllPositions,
  closePosition,
  getOrder,
  getOrderByClientId,
  getPosition,
  listOrders,
  listPositions,
  replaceOrder,
  submitOrder,
} from './rest-orders.ts';
import type { Handler } from './rest-types.ts';

/** Every route of the two REST hosts. They share a port here, so one URL serves for both. */

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

export type Route = {
  /** Which budget pays for it, and in which manner it refuses: data routes answer without an error code. */
  readonly host: 'trading' | 'data';
  /** Alpaca's gateway answers a page, not JSON, when keys are missing here. */
  readonly pageOn401: boolean;
  readonly handler: Handler;
};

export type FoundRoute = {
  readonly route: Route;
  readonly params: Readonly<Record<string, string | undefined>>;
};

export type Routes = {
  find(method: string, path: string): FoundRoute | null;
  /** Whether the path exists under another method. */
  knows(path: string): boolean;
};

const METHODS: readonly Method[] = ['GET', 'POST', 'PATCH', 'DELETE'];

const TRADING: readonly (readonly [Method, string, Handler])[] = [
  ['GET', '/v2/account', getAccount],
  ['GET', '/v2/account/configurations', getConfigurations],
  ['PATCH', '/v2/account/configurations', patchConfigurations],
  ['GET', '/v2/account/activities', listActivities],
  ['GET', '/v2/account/activities/:type', listActivities],
  ['GET', '/v2/account/portfolio/history', getPortfolioHistory],
  ['GET', '/v2/assets', listAssets],
  ['GET', '/v2/assets/:symbol', getAsset],
  ['POST', '/v2/orders', submitOrder],
  ['GET', '/v2/orders', listOrders],
  ['DELETE', '/v2/orders', cancelAllOrders],
  // The doubled colon is a literal one: `/v2/orders:by_client_order_id`.
  ['GET', '/v2/orders::by_client_order_id', getOrderByClientId],
  ['GET', '/v2/orders/:id', getOrder],
  ['PATCH', '/v2/orders/:id', replaceOrder],
  ['DELETE', '/v2/orders/:id', cancelOrder],
  ['GET', '/v2/positions', listPositions],
  ['DELETE', '/v2/positions', closeAllPositions],
  ['GET', '/v2/positions/:symbol', getPosition],
  ['DELETE', '/v2/positions/:symbol', closePosition],
];

const TRADING_PAGES: readonly (readonly [Method, string, Handler])[] = [
  ['GET', '/v2/clock', getClock],
  ['GET', '/v2/calendar', getCalendar],
  ['GET', '/v3/clock', getClockV3],
  ['GET', '/v3/calendar/:market', getCalendarV3],
];

const DATA: readonly (readonly [Method, string, Handler])[] = [
  ['GET', '/v2/stocks/bars', barHistory],
  ['GET', '/v2/stocks/trades', tradeHistory],
  ['GET', '/v2/stocks/quotes', quoteHistory],
  ['GET', '/v2/stocks/bars/latest', latestBars],
  ['GET', '/v2/stocks/trades/latest', latestTrades],
  ['GET', '/v2/stocks/quotes/latest', latestQuotes],
  ['GET', '/v2/stocks/snapshots', snapshots],
  ['GET', '/v2/stocks/:symbol/bars', barHistory],
  ['GET', '/v2/stocks/:symbol/trades', tradeHistory],
  ['GET', '/v2/stocks/:symbol/quotes', quoteHistory],
  ['GET', '/v2/stocks/:symbol/bars/latest', latestBars],
  ['GET', '/v2/stocks/:symbol/trades/latest', latestTrades],
  ['GET', '/v2/stocks/:symbol/quotes/latest', latestQuotes],
  ['GET', '/v2/stocks/:symbol/snapshot', snapshots],
];

export function createRoutes(): Routes {
  const router = findMyWay({ ignoreDuplicateSlashes: true, ignoreTrailingSlash: true });
  const add = (table: typeof TRADING, rest: Omit<Route, 'handler'>): void => {
    for (const [method, path, handler] of table) router.on(method, path, () => {}, { ...rest, handler });
  };
  add(TRADING, { host: 'trading', pageOn401: false });
  add(TRADING_PAGES, { host: 'trading', pageOn401: true });
  add(DATA, { host: 'data', pageOn401: true });
  return {
    find: (method, path) => {
      const found = METHODS.includes(method as Method) ? router.find(method as Method, path) : null;
      return found === null ? null : { route: found.store as Route, params: found.params };
    },
    knows: (path) => METHODS.some((method) => router.find(method, path) !== null),
  };
}
