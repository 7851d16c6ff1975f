import { expect } from 'chai';
import { Packr } from 'msgpackr';
import { type AnswerContext, lookupOf, submitOutcome } from '../../lib/adapters/alpaca/answers.ts';
import { formatDecodeError } from '../../lib/adapters/alpaca/codec-decode-base.ts';
import { decodeMarketJson, type MarketSink } from '../../lib/adapters/alpaca/codec-decode-market.ts';
import { createMsgpackMarketDecoder } from '../../lib/adapters/alpaca/codec-decode-market-msgpack.ts';
import { decodeTradeUpdate } from '../../lib/adapters/alpaca/codec-decode-orders.ts';
import type { HttpAnswer } from '../../lib/adapters/alpaca/http-answer.ts';
import { createRedact } from '../../lib/adapters/alpaca/redact.ts';
import { NO_COMMAND_LINE, parseConfig } from '../../lib/adapters/config/load.ts';
import { formatMistake } from '../../lib/adapters/config/mistake.ts';
import { micros } from '../../lib/domain/time.ts';
import { INTENT, NOW } from '../alpaca/rest-stand.ts';
import { ORDER } from '../alpaca/samples.ts';
import { KEY, SECRET } from './corpus.ts';

/** What the fuzzing found, each by what happened. */
describe('found by fuzzing', () => {
  const packr = new Packr({ useRecords: false });
  const TRADE = { T: 't', S: 'SPY', p: 187.35, s: 100, t: '2026-10-05T14:30:00Z', c: ['@'], x: 'V' };
  const BAR = { T: 'b', S: 'SPY', o: 1, h: 2, l: 1, c: 2, v: 10, n: 1, vw: 1.5, t: '2026-10-05T14:30:00Z' };

  /** What became of a message in either encoding: its kind, or what was told. */
  function heard(message: Record<string, unknown>): readonly [string, string] {
    const decode = (run: (sink: MarketSink) => void): string => {
      let told = 'nothing';
      run({
        message: ({ kind }) => (told = kind),
        control: ({ kind }) => (told = kind),
        unreadable: (error) => (told = formatDecodeError(error)),
      });
      return told;
    };
    return [
      decode((sink) => decodeMarketJson(JSON.stringify(message), sink)),
      decode((sink) => createMsgpackMarketDecoder()(packr.pack(message), sink)),
    ];
  }

  it('a price that no share has, as a number or as text: it ended the daemon when the position was valued', () => {
    for (const p of [8_548_058_658_790.25, '8548058658790.25', '99999999999', 1e15, 10_000_000.0001])
      for (const told of [...heard({ ...TRADE, p }), ...heard({ ...BAR, h: p })])
        expect(told, String(p)).to.include('expected');
    expect(heard({ ...TRADE, p: 10_000_000 })).to.deep.equal(['print', 'print']);
    const update = { event: 'fill', execution_id: 'e', price: '8548058658790.25', qty: '1', order: ORDER };
    const decoded = decodeTradeUpdate(update, NOW);
    expect(decoded.ok && decoded.value.report.fill).to.equal(null);
    const order = { ...ORDER, filled_qty: '999999999', filled_avg_price: '999999999' };
    expect(decodeTradeUpdate({ event: 'fill', order }, NOW).ok).to.equal(false);
  });

  it('a fill of no shares: its execution id was taken for counted, and the true one would have been passed over', () => {
    for (const qty of ['0', 0, '-0', '0.000']) {
      const update = { event: 'partial_fill', execution_id: 'e', price: '20', qty, order: ORDER };
      const decoded = decodeTradeUpdate(update, NOW);
      expect(decoded.ok && decoded.value.report.fill).to.equal(null);
      expect(decoded.ok && decoded.value.unreadable, 'the order is to be fetched').to.include('qty');
    }
  });

  it('an instant before 1970, which is how a Go server says never, or beyond what can be counted: no instant', () => {
    for (const t of ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z'])
      for (const told of heard({ ...TRADE, t })) expect(told, t).to.include('expected');
    const decoded = decodeTradeUpdate({ event: 'new', timestamp: '0001-01-01T00:00:00Z', order: ORDER }, NOW);
    expect(decoded.ok && decoded.value.report.occurredAt).to.be.above(0);
  });

  it('a secret in a field of a message that was told in part: its piece was not known for one', () => {
    const redact = createRedact([KEY, SECRET]);
    for (const field of ['S', 'p', 't', 's'])
      for (const text of [SECRET, `auth failed for ${KEY}:${SECRET}`])
        for (const told of heard({ ...TRADE, [field]: field === 'S' ? text : [text], p: -1 }))
          for (const secret of [KEY, SECRET])
            for (let at = 0; at + 12 <= secret.length; at += 1)
              expect(redact(told)).to.not.include(secret.slice(at, at + 12));
    const decoded = decodeTradeUpdate({ event: `${'x'.repeat(20)}${SECRET}`, order: ORDER }, NOW);
    expect(decoded.ok && decoded.value.unreadable).to.not.include(SECRET.slice(0, 12));
  });

  const context: AnswerContext = { now: micros(NOW), redact: createRedact([KEY, SECRET]) };
  const answer = (body: unknown, headers: Record<string, string> = {}, status = 200): HttpAnswer => ({
    kind: 'answered',
    status,
    headers,
    body: JSON.stringify(body),
  });

  it('an answer to a submit that is about another order, or about more than was sent: the outcome is unknown', () => {
    expect(submitOutcome(answer(ORDER), context, INTENT).kind).to.equal('accepted');
    for (const wrong of [
      { client_order_id: 'scalpd-20261005-ABC-18-0' },
      { symbol: 'XYZ' },
      { side: 'sell' },
      { qty: '99' },
      { filled_qty: '101' },
    ])
      expect(
        submitOutcome(answer({ ...ORDER, ...wrong }), context, INTENT).kind,
        JSON.stringify(wrong),
      ).to.equal('unknown');
  });

  it('a look-up that is answered with another order has failed', () => {
    const byId = (id: string) => lookupOf(answer(ORDER), context, (order) => order.brokerOrderId === id);
    expect(byId(ORDER.id).kind).to.equal('found');
    expect(byId('a2')).to.deep.include({ kind: 'failed' });
  });

  it('a request id that echoes a key is told without it', () => {
    const outcome = submitOutcome(answer({}, { 'x-request-id': `${KEY}:${SECRET}` }, 500), context, INTENT);
    expect(outcome.kind === 'unknown' && outcome.failure.requestId).to.equal('[secret]:[secret]');
  });

  it('a symbol of the command line that is empty, or holds a line break, is told in one line', () => {
    const load = parseConfig('a.yaml', Buffer.from('symbols: []\n'), {
      ...NO_COMMAND_LINE,
      symbols: ['', 'a\nb\u0000'],
    });
    const lines = load.ok ? [] : load.mistakes.map(formatMistake);
    expect(lines.filter((line) => line.endsWith('found: nothing'))).to.have.length(1);
    expect(lines.filter((line) => line.endsWith('found: a b'))).to.have.length(1);
  });
});
