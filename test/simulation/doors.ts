import type { Micros } from '../../lib/domain/time.ts';
import type { SocketDoors } from '../../lib/engine/direct-feeds.ts';
import type { Broker, SubmitOutcome } from '../../lib/ports/broker.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { OpenDataFeed, OpenTradeFeed } from '../../lib/ports/feeds.ts';
import type { Stream } from '../../lib/sim/fault-types.ts';
import { noteSituation, type Post, type Witness } from './witness.ts';

/** One process's life as its doors need it. Each `pass` may be the one at which it dies: then it answers `false`. */
export type Life = {
  readonly process: number;
  readonly now: () => Micros;
  readonly alive: () => boolean;
  readonly pass: (on: 'request' | 'answer' | 'report', side: 'before' | 'after') => boolean;
};

/** Nobody is left to hear the answer. */
const never = <T>(): Promise<T> => new Promise(() => undefined);

/** The broker as one process sees it: what a dead one asks is not sent, what it is answered it does not hear. */
export function watchedBroker(broker: Broker, life: Life, witness: Witness): Broker {
  const watch =
    <Args extends unknown[], T>(what: string, ask: (...args: Args) => Promise<T>) =>
    (...args: Args): Promise<T> => {
      if (!life.alive() || !life.pass('request', 'before')) return never();
      witness.requests.push({ at: life.now(), process: life.process, what });
      const answer = ask(...args);
      if (!life.pass('request', 'after')) return never();
      return answer.then((value) => {
        if (!life.alive() || !life.pass('answer', 'before')) return never();
        if (life.pass('answer', 'after')) return value;
        return never();
      });
    };

  const submit: Broker['submit'] = (intent) => {
    const post: Post = {
      at: life.now(),
      process: life.process,
      id: intent.clientOrderId,
      symbol: intent.symbol,
      side: intent.side,
      purpose: intent.purpose,
      qty: intent.qty,
      outcome: null,
    };
    witness.posts.push(post);
    return broker.submit(intent).then((outcome: SubmitOutcome) => {
      post.outcome = outcome;
      noteSituation(witness, `submit ${outcome.kind}`);
      return outcome;
    });
  };

  const cancel: Broker['cancel'] = (id) =>
    broker.cancel(id).then((outcome) => {
      if (outcome.kind === 'refused') noteSituation(witness, 'cancel answered 422');
      return outcome;
    });

  return {
    submit: watch('submit', submit),
    cancel: watch('cancel', cancel),
    orderByClientOrderId: watch('orderByClientOrderId', broker.orderByClientOrderId),
    orderById: watch('orderById', broker.orderById),
    openOrders: watch('openOrders', broker.openOrders),
    ordersSince: watch('ordersSince', broker.ordersSince),
    fillsSince: watch('fillsSince', broker.fillsSince),
    positions: watch('positions', broker.positions),
    account: watch('account', broker.account),
    clock: watch('clock', broker.clock),
    calendar: watch('calendar', broker.calendar),
    assets: watch('assets', broker.assets),
    bars: watch('bars', broker.bars),
    latestPrints: watch('latestPrints', broker.latestPrints),
  };
}

export function watchedTradeFeed(open: OpenTradeFeed, life: Life, witness: Witness): OpenTradeFeed {
  const ended = new Set<string>();
  const canceled = new Set<string>();
  const executions = new Set<string>();

  return (events) =>
    open({
      ...events,
      onStatus(status) {
        if (!life.alive()) return;
        note('trading', status.state === 'live');
        events.onStatus(status);
      },
      onReport(report, heardAt) {
        if (!life.alive() || !life.pass('report', 'before')) return;
        const { brokerOrderId: id, fill, status } = report;
        if (fill !== null && executions.has(fill.executionId)) noteSituation(witness, 'execution repeated');
        if (fill !== null && canceled.has(id)) noteSituation(witness, 'fill after canceled');
        if (status === 'new' && ended.has(id)) noteSituation(witness, 'new after the end');
        if (fill !== null) executions.add(fill.executionId);
        if (status === 'canceled') canceled.add(id);
        if (status === 'canceled' || status === 'filled') ended.add(id);
        events.onReport(report, heardAt);
        life.pass('report', 'after');
      },
    });

  function note(stream: 'trading', live: boolean): void {
    witness.feeds.push({ at: life.now(), process: life.process, stream, live });
  }
}

export function watchedDataFeed(open: OpenDataFeed, life: Life, witness: Witness): OpenDataFeed {
  return (symbols, events) =>
    open(symbols, {
      ...events,
      onStatus(status) {
        if (!life.alive()) return;
        const live = status.state === 'live';
        witness.feeds.push({ at: life.now(), process: life.process, stream: 'data', live });
        events.onStatus(status);
      },
      onMessage(message) {
        if (!life.alive()) return;
        if (message.kind === 'status') {
          const { symbol, state } = message.status;
          witness.halts.push({ at: life.now(), process: life.process, symbol, state });
        }
        events.onMessage(message);
      },
    });
}

/** The exchange's side of both sockets, which notes every attempt and every 406. */
export function watchedDoors({ data, trade }: SocketDoors, clock: Clock, witness: Witness): SocketDoors {
  const note = (stream: Stream, answer: string): void =>
    void witness.connects.push({ at: clock.now(), process: witness.processes.length - 1, stream, answer });
  return {
    data: {
      ...data,
      connect(events) {
        note('data', 'attempt');
        return data.connect({
          ...events,
          onFrame(frame) {
            if (frame.kind === 'error' && frame.code === SLOT_TAKEN) note('data', 'slotTaken');
            events.onFrame(frame);
          },
        });
      },
    },
    trade: {
      ...trade,
      connect(events) {
        note('trading', 'attempt');
        return trade.connect(events);
      },
    },
  };
}

const SLOT_TAKEN = 406;
