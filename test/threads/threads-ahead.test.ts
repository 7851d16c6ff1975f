import { expect } from 'chai';
import { LaneStartError } from '../../lib/adapters/threads/piscina-lanes.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { AAPL, laneStart, openWatchedLanes, QQQ, SPY, type WatchedLanes } from './lanes-fixture.ts';

describe('lanes in threads that were opened ahead', function () {
  this.timeout(120_000);
  let lanes: WatchedLanes;
  afterEach(() => lanes.host.close());

  it('take those, open what is missing, and end what is left over', async () => {
    lanes = openWatchedLanes({ threadsAhead: 2 });
    await lanes.host.start([laneStart(SPY), laneStart(AAPL), laneStart(QQQ)]);
    expect(new Set([SPY, AAPL, QQQ].map(lanes.host.threadOf)).size).to.equal(3);
    await lanes.host.close();

    lanes = openWatchedLanes({ threadsAhead: 3, startConcurrency: 3 });
    await lanes.host.start([laneStart(SPY)]);
    await lanes.host.start([laneStart(AAPL)]);
    expect(lanes.host.threadOf(SPY)).not.to.equal(lanes.host.threadOf(AAPL));
    expect(lanes.losses).to.deep.equal([]);
    expect(lanes.errors).to.deep.equal([]);
  });

  it('are packed into them as they would be into others', async () => {
    lanes = openWatchedLanes({ threadsAhead: 2, maxThreads: 2 });
    const symbols = ['A', 'B', 'C', 'D'] as Ticker[];
    await lanes.host.start(symbols.map((symbol) => laneStart(symbol)));
    const [a, b, c, d] = symbols.map(lanes.host.threadOf);
    expect([a === b, c === d, a === c]).to.deep.equal([true, true, false]);
  });

  it('need none of them to be ended: they go with their host', async () => {
    lanes = openWatchedLanes({ threadsAhead: 4 });
    await lanes.host.close();
    expect(lanes.errors).to.deep.equal([]);
  });

  it('fail by name when there is no worker to start', async () => {
    lanes = openWatchedLanes({
      threadsAhead: 2,
      workerUrl: new URL('./no-such-worker.js', import.meta.url),
    });
    const failed = await lanes.host.start([laneStart(SPY)]).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(LaneStartError);
    expect((failed as LaneStartError).failures.get(SPY)?.code).to.equal('exited');
  });
});
