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

/** `cost`: pages the answer is expected to take. */
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
