import { submitOutcome } from '../adapters/alpaca/answers.ts';
import { encodeOrder, encodeTradeUpdate } from '../adapters/alpaca/codec-encode-orders.ts';
import { createRequestEncoder } from '../adapters/alpaca/codec-encode-requests.ts';
import { tradeUpdateFrame } from '../adapters/alpaca/codec-serve-sockets.ts';
import type { HttpAnswer } from '../adapters/alpaca/http-answer.ts';
import { AnswerReader } from '../adapters/alpaca/http-reader.ts';
import type { RunSocket } from '../adapters/alpaca/socket-runner.ts';
import { openTradeFeed } from '../adapters/alpaca/trade-feed.ts';
import { type Duration, seconds } from '../domain/time.ts';
import { createDirectBroker } from '../engine/direct-broker.ts';
import { requestOf } from '../engine/direct-orders.ts';
import type { Broker } from '../ports/broker.ts';
import type { Clock, Stopwatch } from '../ports/clock.ts';
import type { OpenTradeFeed } from '../ports/feeds.ts';
import type { Exchange } from '../sim/exchange-api.ts';

/**
 * The broker of a rehearsal: an exchange in memory whose orders, answers and reports pass through the same encoders and
 * decoders as the broker's bytes, without a socket in between.
 */

const AT_ONCE = 0 as Duration;

export function createRehearsalBroker(clock: Clock, exchange: Exchange): Broker {
  const encode = createRequestEncoder({
    baseUrl: 'http://127.0.0.1',
    keyId: 'rehearsal',
    secret: 'rehearsal',
    userAgent: 'rehearsal',
  });
  const reader = new AnswerReader();
  const redact = (text: string): string => text;
  const direct = createDirectBroker({
    clock,
    exchange,
    latency: AT_ONCE,
    timeout: seconds(10),
    faults: null,
  });

  function answerOf(status: number, content: unknown): HttpAnswer {
    const body = JSON.stringify(content);
    const length = `Content-Length: ${Buffer.byteLength(body)}`;
    reader.feed(Buffer.from(`HTTP/1.1 ${status} \r\n${HEADERS}\r\n${length}\r\n\r\n${body}`));
    const answer: HttpAnswer = { kind: 'answered', status, headers: reader.headers, body: reader.body() };
    reader.reset();
    return answer;
  }

  return {
    ...direct,
    async submit(intent) {
      encode.submit(intent);
      const taken = exchange.submitOrder(requestOf(intent));
      const answer = taken.ok ? answerOf(200, encodeOrder(taken.value)) : answerOf(taken.status, taken);
      return submitOutcome(answer, { now: clock.now(), redact }, intent);
    },
  };
}

/** With the headers that Alpaca sends. */
const HEADERS = [
  'Date: Mon, 05 Oct 2026 13:30:00 GMT',
  'Content-Type: application/json; charset=UTF-8',
  'X-Request-ID: 00000000000000000000000000000000',
  'X-RateLimit-Limit: 200',
  'X-RateLimit-Remaining: 199',
  'X-RateLimit-Reset: 1791207060',
].join('\r\n');

/** The order stream of the daemon on frames made in memory. */
export const rehearsalTradeFeed = (clock: Clock, exchange: Exchange, stopwatch: Stopwatch): OpenTradeFeed => {
  const run: RunSocket = (dialect, { onStatus }) => {
    let sequence = 0;
    return {
      start() {
        clock.at(clock.now(), () => onStatus({ state: 'live', detail: 'rehearsed' }));
        exchange.onTradeUpdate((update) => {
          sequence += 1;
          const data = encodeTradeUpdate(update, exchange.now(), sequence);
          const frame = Buffer.from(JSON.stringify(tradeUpdateFrame(data)));
          clock.at(exchange.now(), () => dialect.onFrame(frame, true, () => undefined));
        });
      },
      close: async () => undefined,
    };
  };
  const options = {
    url: 'ws://127.0.0.1/stream',
    keyId: 'rehearsal',
    secret: 'rehearsal',
    clock,
    speed: 1,
    random: () => 0.5,
    stopwatch,
    run,
    onFault(error: unknown) {
      throw error;
    },
  };
  return (events) => openTradeFeed(options, events);
};
