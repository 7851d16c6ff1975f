import { expect } from 'chai';
import { after as later, minutes, seconds } from '../../lib/domain/time.ts';
import { certify, describeSymbol } from '../../lib/engine/certificate.ts';
import type { Certificate, SymbolCertificate } from '../../lib/engine/certificate-types.ts';
import type { Evidence } from '../../lib/engine/evidence.ts';
import type { StoredRecord } from '../../lib/ports/journal.ts';
import { NO_FAULTS } from '../../lib/sim/fault-types.ts';
import {
  DAY,
  type DayOptions,
  judge,
  type SimulatedDay,
  sessionOf,
  startDay,
} from '../engine/simulated-day.ts';

const SHORT = sessionOf('09:30', '10:30');

const BY_HAND = {
  notional: null,
  limitPrice: null,
  stopPrice: null,
  trailPrice: null,
  trailPercent: null,
  extendedHours: false,
  orderClass: null,
  takeProfit: null,
  stopLoss: null,
  positionIntent: null,
};

async function certificateOf(day: SimulatedDay): Promise<Certificate> {
  const head = await day.journal.head();
  const certificate = head && certify(DAY, await day.journal.read(DAY), head);
  if (certificate === null) throw new Error('a session that began can be certified');
  return certificate;
}

async function wholeDay(options: Partial<DayOptions> = {}): Promise<SimulatedDay> {
  const day = await startDay({ seed: 5, session: SHORT, ...options });
  await day.finish();
  return day;
}

/** The certificate of the same day with some of its records changed. */
function with_(
  day: SimulatedDay,
  change: (record: StoredRecord) => StoredRecord | null,
): SymbolCertificate & { readonly whole: Certificate } {
  const records = day.journal.records.flatMap((record) => change(structuredClone(record)) ?? []);
  const whole = certify(DAY, records, { id: day.journal.records.length, hash: '' });
  const found = whole?.symbols.find(({ symbol }) => symbol === 'SPY');
  if (whole === null || found === undefined) throw new Error('SPY trades');
  return { ...found, whole };
}

const isSpy = ({ symbol }: StoredRecord): boolean => symbol === 'SPY';

/** Changes what the last look at the broker showed of SPY. */
const withEvidence =
  (change: (evidence: Evidence & { broker: NonNullable<Evidence['broker']> }) => object) =>
  (record: StoredRecord): StoredRecord => {
    const body = record.body as Evidence;
    if (!isSpy(record) || body.what !== 'evidence' || body.broker === null) return record;
    return { ...record, body: { ...body, ...change({ ...body, broker: body.broker }) } };
  };

describe('flat certificate', function () {
  this.timeout(60_000);
  let plain: SimulatedDay;
  before(async () => {
    plain = await wholeDay();
  });

  it('traces every share of a day from its intent to zero, by four sources', async () => {
    const certificate = await certificateOf(plain);
    expect(certificate.flat).to.equal(true);
    expect(certificate.symbols.map(({ symbol }) => symbol as string)).to.have.members([
      'AAPL',
      'BAC',
      'F',
      'INTC',
      'SPY',
    ]);
    const { orders, fills } = plain.exchange.ledger();
    for (const { symbol, sources, traced, ...rest } of certificate.symbols) {
      const bought = fills.filter((fill) => fill.symbol === symbol && fill.side === 'buy');
      const shares = bought.reduce((sum, { qty }) => sum + qty, 0);
      const moved = { bought: shares, sold: shares };
      expect(sources, symbol).to.deep.equal({
        journal: { shares: 0, unsettled: 0 },
        stream: moved,
        orders: { ...moved, open: 0 },
        fills: moved,
        positions: { shares: 0 },
      });
      expect(traced).to.equal(true);
      expect([...rest.evidence, ...rest.unproven, ...rest.remarks]).to.deep.equal([]);
      const there = orders.filter((order) => order.symbol === symbol);
      expect(
        rest.orders.filter(({ brokerOrderId }) => brokerOrderId !== null).map((order) => order.clientOrderId),
      ).to.deep.equal(there.map(({ clientOrderId }) => clientOrderId));
      for (const { executions, filled, intent } of rest.orders) {
        expect(executions.reduce((sum, { qty }) => sum + qty, 0)).to.equal(filled);
        expect(plain.journal.records.find(({ id }) => id === intent)?.kind).to.equal('request');
      }
    }
    expect(certificate.symbols.some(({ orders: each }) => each.length > 2)).to.equal(true);
  });

  it('is the same again from the same records, and is text that a person reads', async () => {
    expect(await certificateOf(plain)).to.deep.equal(await certificateOf(plain));
    const [first] = (await certificateOf(plain)).symbols;
    expect(first && describeSymbol(first)).to.match(
      /^AAPL: flat; \d+ orders, \d+ executions, bought\/sold by stream (\d+\/\d+), by orders \1, by fills \1, position 0$/,
    );
  });

  it('covers the whole day of a daemon that was killed and started again while it held shares', async () => {
    const day = await startDay({ seed: 5, session: SHORT });
    for (let at = SHORT.openAt; at < SHORT.closeAt; at = later(at, seconds(5))) {
      await day.runTo(at);
      if (
        day
          .engine()
          .status()
          .lanes.some(({ shares }) => shares > 0)
      )
        break;
    }
    await day.restart();
    await day.runTo(later(day.clock.now(), minutes(10)));
    await day.restart();
    await day.finish();
    expect(judge(day)).to.deep.equal([]);
    const certificate = await certificateOf(day);
    expect(certificate.flat).to.equal(true);
    expect(certificate.symbols.every(({ traced }) => traced)).to.equal(true);
    const ids = certificate.symbols.flatMap(({ orders }) =>
      orders.filter(({ brokerOrderId }) => brokerOrderId),
    );
    expect(ids).to.have.length(day.exchange.ledger().orders.length);
  });

  it('holds, with a remark, when the stream lost fills that were then found by asking', async () => {
    const day = await wholeDay({ faults: { ...NO_FAULTS, rates: { updateDrop: 0.4 } } });
    const certificate = await certificateOf(day);
    expect(certificate.flat).to.equal(true);
    const remarks = certificate.symbols.flatMap((each) => each.remarks);
    expect(remarks.filter((text) => text.includes('by asking, not by the stream'))).not.to.deep.equal([]);
  });

  it('is no word on a day on which no session began', () => {
    expect(certify(DAY, [], { id: 0, hash: '' })).to.equal(null);
  });

  describe('says why not', () => {
    const cases: readonly (readonly [
      string,
      (record: StoredRecord) => StoredRecord | null,
      boolean | null,
      RegExp,
    ])[] = [
      [
        'the broker holds shares',
        withEvidence(({ broker }) => ({ broker: { ...broker, shares: 7 } })),
        false,
        /nothing must be held at the broker: 7 shares/,
      ],
      [
        'an order is open, whoever it belongs to',
        withEvidence(({ broker }) => ({
          broker: {
            ...broker,
            orders: [
              ...broker.orders,
              { ...broker.orders[0], clientOrderId: 'theirs', brokerOrderId: 'x', status: 'new', cumQty: 0 },
            ],
          },
        })),
        false,
        /nothing must be open at the broker: 1 orders/,
      ],
      [
        'an order filled less than our books hold',
        withEvidence(({ broker }) => ({
          broker: {
            ...broker,
            orders: broker.orders.map((order, n) =>
              n === 0 ? { ...order, cumQty: order.cumQty - 1 } : order,
            ),
          },
        })),
        false,
        /our books must hold what an order filled/,
      ],
      [
        'the fills tell of more than the order',
        withEvidence(({ broker }) => ({
          broker: { ...broker, fills: [...(broker.fills ?? []), ...(broker.fills ?? []).slice(0, 1)] },
        })),
        false,
        /the fills must not tell more than the order/,
      ],
      [
        'an order is missing at the broker',
        withEvidence(({ broker }) => ({ broker: { ...broker, orders: broker.orders.slice(1) } })),
        false,
        /must be at the broker: scalpd-\S+ is not/,
      ],
      [
        'an order is not what was intended',
        withEvidence(({ broker }) => ({
          broker: {
            ...broker,
            orders: broker.orders.map((order, n) => (n === 0 ? { ...order, qty: order.qty + 1 } : order)),
          },
        })),
        false,
        /an order must be what was intended/,
      ],
      [
        'the lane believed something else',
        withEvidence(() => ({ lane: { shares: 3, unsettled: [] } })),
        false,
        /the lane had 3/,
      ],
      [
        'the broker could not be read',
        withEvidence(() => ({ broker: null })),
        null,
        /the broker must be readable at the end/,
      ],
      [
        'nobody looked',
        (record) => ((record.body as Evidence).what === 'evidence' ? null : record),
        null,
        /the broker must be looked at/,
      ],
      [
        'the journal has a hole',
        (record) => (isSpy(record) && record.kind === 'input' ? null : record),
        null,
        /the journal must tell every step/,
      ],
      [
        'the lane has no beginning',
        (record) => (isSpy(record) && (record.body as Evidence).what === ('lane' as never) ? null : record),
        null,
        /what the lane began with/,
      ],
    ];
    for (const [name, change, flat, text] of cases)
      it(`${name}: ${flat === null ? 'unproven' : 'not flat'}, and the other symbols are what they were`, () => {
        const { whole, ...spy } = with_(plain, change);
        expect(spy.flat).to.equal(flat);
        expect([...spy.evidence, ...spy.unproven].join('\n')).to.match(text);
        expect(describeSymbol(spy)).to.match(text);
        expect(whole.flat).to.equal(flat);
        if (name !== 'nobody looked')
          expect(whole.symbols.filter(({ flat: each }) => each !== true)).to.have.length(1);
      });

    it('an execution that the stream told of and no order knows', () => {
      const { whole, ...spy } = with_(plain, (record) => {
        const report = record.body as { fill?: { lastQty: number } | null };
        if (!isSpy(record) || record.kind !== 'report' || report.fill == null) return record;
        return { ...record, body: { ...report, fill: { ...report.fill, lastQty: report.fill.lastQty + 1 } } };
      });
      expect(spy.flat).to.equal(false);
      expect(spy.evidence.join()).to.match(/the stream must not tell more than the order/);
      expect(whole.flat).to.equal(false);
    });

    it('orders after the last look', () => {
      const { whole, ...spy } = with_(plain, (record) =>
        (record.body as Evidence).what === 'evidence' ? { ...record, id: record.id - 100_000 } : record,
      );
      expect(spy.flat).to.equal(null);
      expect(spy.unproven.join()).to.match(/the last look must follow the last order/);
      expect(whole.symbols).to.have.length(5);
    });

    it('a request that nobody knows the end of', () => {
      const clientOrderId = 'scalpd-20261005-SPY-999-0';
      const { whole, ...spy } = with_(plain, (record) => {
        const { what, intent } = record.body as { what?: string; intent?: object };
        if (!isSpy(record) || record.kind !== 'decision') return record;
        return what === undefined && intent === undefined
          ? {
              ...record,
              kind: 'request',
              body: { what: 'submit', intent: { clientOrderId, qty: 3, side: 'buy' }, step: 1, event: {} },
            }
          : record;
      });
      expect(spy.flat).to.equal(null);
      expect(spy.unproven.join()).to.include(`what became of an order must be known: ${clientOrderId}`);
      expect(whole.flat).to.equal(null);
    });
  });

  it('a day whose journal was lost is flat by the broker, and not traced', async () => {
    const day = await startDay({ seed: 5, session: SHORT });
    await day.runTo(later(SHORT.openAt, minutes(40)));
    (day.journal.records as StoredRecord[]).length = 0;
    await day.restart();
    await day.finish();
    const certificate = await certificateOf(day);
    expect(certificate.flat).to.equal(true);
    expect(certificate.symbols.some(({ traced }) => !traced)).to.equal(true);
    const texts = certificate.symbols.flatMap(({ remarks }) => remarks).join('\n');
    expect(texts).to.include('its intent is not in the journal');
  });

  it('shares left by others are not called ours, and the symbol is not called flat', async () => {
    const day = await startDay({ seed: 5, session: SHORT });
    await day.runTo(later(SHORT.openAt, minutes(5)));
    const answer = day.exchange.submitOrder({
      ...BY_HAND,
      symbol: 'SPY',
      side: 'buy',
      type: 'market',
      timeInForce: 'day',
      qty: '4',
      clientOrderId: 'by-hand',
    });
    expect(answer).to.include({ ok: true });
    await day.finish();
    const { symbols, flat } = await certificateOf(day);
    const spy = symbols.find(({ symbol }) => symbol === 'SPY');
    expect(flat).to.equal(false);
    expect(spy?.evidence).to.deep.equal(['nothing must be held at the broker: 4 shares are']);
    expect(spy?.sources.orders).to.deep.include({ open: 0 });
  });
});
