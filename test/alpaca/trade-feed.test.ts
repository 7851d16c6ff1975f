import { expect } from 'chai';
import { openTradeFeed } from '../../lib/adapters/alpaca/trade-feed.ts';
import type { ExecutionReport } from '../../lib/domain/execution.ts';
import {
  type Client,
  type FeedStand,
  type Frame,
  KEY,
  Log,
  lives,
  openFeedStand,
  packr,
  statesOf,
} from './feed-stand.ts';
import { FILL, ORDER } from './samples.ts';

describe('trade updates feed', () => {
  let stand: FeedStand;

  beforeEach(async () => {
    stand = await openFeedStand();
    reports = new Log();
    complaints = new Log();
    stand.onFrame = paper;
  });

  afterEach(() => stand.close());

  let reports: Log<ExecutionReport>;
  let complaints: Log<string>;

  /** The paper flavour: no greeting, JSON in binary frames. */
  const binary = (client: Client, value: unknown): void =>
    client.socket.send(Buffer.from(JSON.stringify(value)));
  const paper = (client: Client, frame: Frame): void => {
    if (frame.action === 'auth')
      binary(client, { stream: 'authorization', data: { status: 'authorized', action: 'authenticate' } });
    if (frame.action === 'listen') binary(client, { stream: 'listening', data: frame.data });
  };

  const open = (onReport: (report: ExecutionReport) => void = (report) => reports.add(report)): void => {
    stand.feed = openTradeFeed(
      { ...stand.common(), url: stand.url('/stream') },
      {
        onStatus: (status) => stand.statuses.add(status),
        onReport,
        onUnreadable: (what) => complaints.add(what),
      },
    );
    stand.feed.start();
  };

  const update = (change: object) => ({ stream: 'trade_updates', data: { ...FILL, ...change } });

  it('is live when the listening is confirmed, and reads text, binary and MessagePack frames', async () => {
    open();
    await stand.statuses.until(lives(1));
    expect(stand.clients[0]?.frames.map((f) => f.action)).to.deep.equal(['auth', 'listen']);
    const [client] = stand.clients;
    if (client === undefined) expect.fail('a client is connected');
    client.socket.send(Buffer.from([0x01]));
    binary(client, update({ execution_id: 'e1' }));
    client.socket.send(JSON.stringify(update({ execution_id: 'e2' })));
    client.socket.send(packr.pack(update({ execution_id: 'e3' })));
    client.socket.send(JSON.stringify([update({ execution_id: 'e4' })]));
    await reports.until((items) => items.length === 4);
    expect(reports.items.map((r) => r.fill?.executionId)).to.deep.equal(['e1', 'e2', 'e3', 'e4']);
    expect(complaints.items).to.deep.equal([]);
    expect(reports.items[0]?.receivedAt).to.be.at.most(stand.clock.now());
  });

  it('asks for orders that it could not read in full, and goes on', async () => {
    open();
    await stand.statuses.until(lives(1));
    const [client] = stand.clients;
    if (client === undefined) expect.fail('a client is connected');
    client.socket.send('{broken');
    binary(client, update({ order: null }));
    binary(client, update({ event: 'teleported' }));
    binary(client, { stream: 'somebody_elses', data: 7 });
    binary(client, update({ event: 'new', order: { ...ORDER, status: 'new' } }));
    await reports.until((items) => items.length === 2);
    expect(reports.items.map((r) => r.status)).to.deep.equal(['unrecognized', 'new']);
    expect(complaints.items).to.have.length(3);
    expect(complaints.items[2]).to.contain('scalpd-20261005-ABC-17-0');
  });

  it('loses neither the socket nor a frame to a handler that throws', async () => {
    const seen = new Log<string>();
    open((report) => {
      seen.add(report.status);
      throw new Error('handler');
    });
    await stand.statuses.until(lives(1));
    const [client] = stand.clients;
    if (client === undefined) expect.fail('a client is connected');
    client.socket.send(JSON.stringify([update({}), update({})]));
    await seen.until((items) => items.length === 2);
    expect(stand.faults).to.have.length(2);
    expect(stand.states().at(-1)).to.equal('live');
  });

  it('pauses for minutes when the keys are refused, and tries again', async () => {
    // Before the client can have heard of it: the test itself may be told much later.
    let from = stand.clock.now();
    stand.onFrame = (client, frame) => {
      if (stand.clients.length > 1) paper(client, frame);
      else {
        from = stand.clock.now();
        binary(client, {
          stream: 'authorization',
          data: { status: 'unauthorized', action: 'authenticate', message: `no such key ${KEY}` },
        });
      }
    };
    open();
    await stand.statuses.until((items) => statesOf(items).includes('refused'));
    expect(stand.statuses.items.at(-1)?.detail).to.contain('[secret]');
    await stand.statuses.until(lives(1));
    expect(stand.clock.now() - from).to.be.at.least(300_000_000);
  });

  it('connects again when the confirmation lacks the stream, and after an error frame', async () => {
    stand.onFrame = (client, frame) => {
      if (frame.action === 'listen' && stand.clients.length === 1)
        binary(client, { action: 'error', data: { error_message: 'internal server error' } });
      else paper(client, frame);
    };
    open();
    await stand.statuses.until((items) => statesOf(items).includes('waiting'));
    expect(stand.statuses.items.at(-1)?.detail).to.contain('internal server error');
    await stand.statuses.until(lives(1));
  });

  it('refuses plain ws beyond this machine', () => {
    const open = () =>
      openTradeFeed(
        { ...stand.common(), url: 'ws://paper-api.alpaca.markets/stream' },
        { onStatus: () => {}, onReport: () => {}, onUnreadable: () => {} },
      );
    expect(open).to.throw('plain http and ws only to loopback');
  });
});
