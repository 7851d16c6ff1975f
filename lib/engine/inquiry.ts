import type { BrokerFailure } from '../ports/broker.ts';
import type { Priority, RequestQueue } from './request-queue.ts';

type Failed = { readonly kind: 'failed'; readonly failure: BrokerFailure };

/** Questions that found no room in the queue: as good as a failed read, and retried like one. */
const NO_ROOM: Failed = {
  kind: 'failed',
  failure: {
    code: 'refused',
    text: 'a question waits in a queue that has room',
    httpStatus: null,
    requestId: null,
    retryAt: null,
  },
};

/** Orders in one page of a listing. Source: Alpaca `GET /v2/orders`, `limit`. */
const ORDERS_PER_PAGE = 500;
export const pagesOf = (orders: number): number => 1 + Math.floor(orders / ORDERS_PER_PAGE);
/** Fills in one page. Source: Alpaca `GET /v2/account/activities`, `page_size`. */
const FILLS_PER_PAGE = 100;
export const fillPagesOf = (fills: number): number => 1 + Math.floor(fills / FILLS_PER_PAGE);

/** Bars in one page, over all symbols of the request. Source: Alpaca market data, `limit`. */
const BARS_PER_PAGE = 10_000;
/** `symbols` at the most 500, what one request may name; the bars are full minutes, which is the most there can be. */
export const barPagesOf = (symbols: number, minutes: number): number =>
  Math.max(1, Math.ceil((symbols * minutes) / BARS_PER_PAGE));

/** Up to five assets are asked for one by one, more of them as the broker's whole list. */
const ASSETS_ONE_BY_ONE = 5;
export const assetRequestsOf = (symbols: number): number => (symbols <= ASSETS_ONE_BY_ONE ? symbols : 1);
/**
 * Symbols in one request for latest prints, or for bars. A comma takes three bytes in an address: some 3.5 KB, 6.5 KB if all of
 * them were as long as tickers get. Servers take 8 KB, as nginx does when nobody told it otherwise.
 */
export const SYMBOLS_PER_REQUEST = 500;
export const printRequestsOf = (symbols: number): number => Math.ceil(symbols / SYMBOLS_PER_REQUEST);

/**
 * `cost`: requests that the answer is expected to take, one for each page.
 *
 * `host`: Alpaca counts market data apart from trading (200 requests a minute on the free plan, 10,000 on the paid one).
 * Here both draw on the one budget: careful, and at the price that the bars of thousands of symbols, fetched in mid-session,
 * wait for it. What the data host says about its own limit, in headers or by 429, does not touch the budget.
 */
export type Inquiry = {
  readonly priority: Priority;
  readonly cost: number;
  readonly host?: 'trading' | 'data';
};

/**
 * Asks the broker something through the one queue. A 429 of the trading host waits and asks again by itself; every other
 * answer, failures included, reaches `then`.
 */
export function inquire<Answer extends { readonly kind: string }>(
  queue: RequestQueue,
  { priority, cost, host = 'trading' }: Inquiry,
  ask: () => Promise<Answer | Failed>,
  then: (answer: Answer | Failed) => void,
): void {
  const added = queue.add({
    priority,
    cost,
    expiresAt: null,
    expired: () => undefined,
    async send() {
      const answer = await ask();
      // The data host has a budget of its own: what it refuses must not hold up an exit.
      if (host === 'trading' && isRateLimited(answer))
        return { kind: 'again', retryAt: answer.failure.retryAt };
      then(answer);
      return { kind: 'answered' };
    },
  });
  if (!added) then(NO_ROOM);
}

function isRateLimited(answer: { readonly kind: string }): answer is Failed {
  return answer.kind === 'failed' && (answer as Failed).failure.code === 'rateLimited';
}
