import type { Duration } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Exchange, TradeUpdate } from './exchange-api.ts';
import type { Faults } from './faults.ts';
import { createListener, type Line, type Listener, type Session, suffer } from './sim-socket.ts';

/**
 * The order-update socket on virtual time. No greeting; each update is a frame of its own; nothing is replayed after a
 * reconnect. It has no limit of sessions.
 */
export type TradeRequest = { readonly kind: 'authenticate' } | { readonly kind: 'listen' };

export type TradeFrame =
  | { readonly kind: 'authorized' }
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'listening' }
  | { readonly kind: 'update'; readonly update: TradeUpdate }
  | { readonly kind: 'unreadable'; readonly what: string };

export type TradeDoorOptions = {
  readonly clock: Clock;
  readonly exchange: Pick<Exchange, 'onTradeUpdate'>;
  readonly faults: Faults | null;
  readonly answerTime: Duration;
  /** Whether the client's key is good. */
  readonly authorized?: () => boolean;
};

/** How long a connection may take to authenticate. */
const AUTH_TIMEOUT = 10_000_000 as Duration;
/** An update reaches its reader after the request that caused it has returned. */
const NEXT_TURN = 0 as Duration;

export function createTradeDoor(options: TradeDoorOptions): Listener<TradeRequest, TradeFrame> {
  const { clock, faults } = options;
  const listening = new Set<Line<TradeFrame>>();

  function accept(line: Line<TradeFrame>): Session<TradeRequest> {
    let authorized = false;
    const timeout = line.later(AUTH_TIMEOUT, () => line.end(true, 'closed by the other side (code 1005)'));
    return {
      onRequest(request) {
        if (request.kind === 'authenticate') {
          authorized = options.authorized?.() !== false;
          if (authorized) timeout.cancel();
          line.put({ kind: authorized ? 'authorized' : 'unauthorized' });
        } else if (authorized) {
          listening.add(line);
          line.put({ kind: 'listening' });
        } else line.put({ kind: 'unauthorized' });
      },
      onEnd: () => void listening.delete(line),
      giveUp: () => line.end(false, 'connection failed: reset'),
    };
  }

  function publish(update: TradeUpdate): void {
    const { side, symbol, clientOrderId } = update.order;
    const unreadable = (what: string) => (): TradeFrame => ({
      kind: 'unreadable',
      what: `${what}: ${clientOrderId}`,
    });
    for (const line of listening) {
      const about = { match: { event: update.event, side, symbol }, at: clock.now() };
      const frames = {
        whole: { kind: 'update', update } as const,
        unknown: unreadable('unknownEvent'),
        garbage: unreadable('garbage'),
      };
      suffer(faults, 'trading', about, frames, {
        ...line,
        put: (frame) => void line.later(NEXT_TURN, () => line.put(frame)),
      });
    }
  }

  options.exchange.onTradeUpdate(publish);
  return createListener({ clock, stream: 'trading', faults, answerTime: options.answerTime, accept });
}
