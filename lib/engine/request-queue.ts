import { unreachable } from '../domain/invariant.ts';
import { after, type Duration, type Micros } from '../domain/time.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Token, TokenBucket } from './token-bucket.ts';

/** Who goes first. A look-up of an order goes at the priority of that order. */
export type Priority = 'urgent' | 'cancel' | 'exit' | 'entry' | 'query';
export const PRIORITIES: readonly Priority[] = ['urgent', 'cancel', 'exit', 'entry', 'query'];

/** What became of one sending. `again`: the broker proved that it did not take it (429). */
export type Sending =
  | { readonly kind: 'answered' }
  | { readonly kind: 'again'; readonly retryAt: Micros | null }
  | { readonly kind: 'unsent' };

export type Request = {
  readonly priority: Priority;
  /** How many requests it makes at the broker, 1 or more: a listing takes one per page. */
  readonly cost: number;
  /** After this instant it is not sent any more; `null` waits for as long as it takes. */
  readonly expiresAt: Micros | null;
  /** Must not reject. What it sends leaves within the call, where nothing has to be waited for. */
  send(): Promise<Sending> | Sending;
  /** Left the queue unsent, because of its age. */
  expired(): void;
};

export type RequestQueue = {
  /** `false`: the queue is full for this priority, and the request was not taken. */
  add(request: Request): boolean;
  /** Takes a request back that has not left; `false` when it has. */
  withdraw(request: Request): boolean;
  /** Room came back or a limit changed: look again. */
  pump(): void;
  depth(priority: Priority): number;
  inFlight(priority: Priority): number;
  /** Whether nothing waits and nothing is on the wire. */
  idle(): boolean;
};

export type QueueLimits = {
  /** Waiting entries and queries, each; exits and cancels are bounded by one live order per lane. */
  readonly waitingMax: number;
  /** Entries and queries on the wire, each: what hangs there must not take the connections that exits need. */
  readonly onWireMax: number;
  /** Pause after a 429 that does not say how long. */
  readonly pauseUnsaid: Duration;
};

/**
 * One queue for everything that asks the broker something: strict priority, first in first out within a priority, one
 * budget. A request that has to be sent again goes back to the head of its priority. `onPaused`: a 429 put the next request
 * off until then; told once for each instant.
 */
export function createRequestQueue(
  clock: Clock,
  bucket: TokenBucket,
  limits: QueueLimits,
  onPaused: (until: Micros) => void = () => undefined,
): RequestQueue {
  const waiting: Record<Priority, Request[]> = { urgent: [], cancel: [], exit: [], entry: [], query: [] };
  const onWire: Record<Priority, number> = { urgent: 0, cancel: 0, exit: 0, entry: 0, query: 0 };
  const expiries = new Map<Request, Timer>();
  let wake: { readonly at: Micros; readonly timer: Timer } | null = null;
  let pumping = false;

  const isReserved = (priority: Priority): boolean => priority !== 'entry' && priority !== 'query';

  function forget(request: Request): void {
    expiries.get(request)?.cancel();
    expiries.delete(request);
  }

  function remove(request: Request): boolean {
    const line = waiting[request.priority];
    const index = line.indexOf(request);
    if (index < 0) return false;
    line.splice(index, 1);
    forget(request);
    return true;
  }

  function armExpiry(request: Request): void {
    if (request.expiresAt === null) return;
    const timer = clock.at(request.expiresAt, () => {
      if (remove(request)) request.expired();
    });
    expiries.set(request, timer);
  }

  function wakeAt(at: Micros): void {
    if (wake !== null && wake.at <= at) return;
    wake?.timer.cancel();
    wake = {
      at,
      timer: clock.at(at, () => {
        wake = null;
        pump();
      }),
    };
  }

  async function send(request: Request, tokens: readonly Token[]): Promise<void> {
    const { priority } = request;
    onWire[priority] += 1;
    const sending = await request.send();
    onWire[priority] -= 1;
    const now = clock.now();
    switch (sending.kind) {
      case 'answered':
        for (const token of tokens) token.spent(now);
        break;
      case 'unsent':
        for (const token of tokens) token.unused();
        break;
      case 'again':
        for (const token of tokens) token.spent(now);
        pause(sending.retryAt ?? after(now, limits.pauseUnsaid));
        if (request.expiresAt !== null && request.expiresAt <= now) request.expired();
        else {
          waiting[priority].unshift(request);
          armExpiry(request);
        }
        break;
      default:
        unreachable(sending);
    }
    pump();
  }

  function pause(until: Micros): void {
    const known = bucket.pausedUntil();
    bucket.pause(until);
    if (known === null || until > known) onPaused(until);
  }

  function take(now: Micros, request: Request): readonly Token[] | null {
    const reserved = isReserved(request.priority);
    const cost = Math.min(request.cost, bucket.capacity(reserved));
    if (bucket.free(now, reserved) < cost) return null;
    const tokens: Token[] = [];
    for (let taken = 0; taken < cost; taken += 1) {
      const token = bucket.take(now, reserved);
      if (token !== null) tokens.push(token);
    }
    return tokens;
  }

  function next(now: Micros): Request | null {
    for (const priority of PRIORITIES) {
      const head = waiting[priority][0];
      if (head === undefined) continue;
      if (!isReserved(priority) && onWire[priority] >= limits.onWireMax) continue;
      const tokens = take(now, head);
      if (tokens === null) {
        // A lower priority never has more budget than a higher one: nobody may pass.
        wakeAt(laterThan(now, bucket.freeAt(now, isReserved(priority), head.cost)));
        return null;
      }
      waiting[priority].shift();
      forget(head);
      void send(head, tokens);
      return head;
    }
    return null;
  }

  function pump(): void {
    if (pumping) return;
    pumping = true;
    while (next(clock.now()) !== null);
    pumping = false;
  }

  return {
    add(request) {
      const line = waiting[request.priority];
      if (!isReserved(request.priority) && line.length >= limits.waitingMax) return false;
      line.push(request);
      armExpiry(request);
      pump();
      return true;
    },
    withdraw: remove,
    pump,
    depth: (priority) => waiting[priority].length,
    inFlight: (priority) => onWire[priority],
    idle: () => PRIORITIES.every((priority) => waiting[priority].length === 0 && onWire[priority] === 0),
  };
}

/** All tokens may be out on requests without an answer yet: look again soon, not in this very turn. */
function laterThan(now: Micros, at: Micros): Micros {
  return at > now ? at : after(now, 1_000 as Duration);
}
