import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import type { DayReplay } from '../../lib/engine/replay.ts';
import type { SessionReport } from '../../lib/engine/report.ts';
import { removeScratch, scratch } from '../support/scratch.ts';
import { type Ending, killChildren, runScalpd } from './support/child.ts';
import { eventsOf, type LogLine, readLog } from './support/daemon-log.ts';

/** A day of 390 minutes in a minute: slow enough that a busy machine keeps up. */
const SPEED = '390';

/** Alarms about the pace of a busy machine may come at this speed; these may not at any. */
const NEVER = [
  'reconcile.discrepancy',
  'order.rejected',
  'order.undead',
  'lane.lost',
  'lanes.fault',
  'feed.fault',
  'journal.failed',
  'daemon.crashed',
  'daemon.open',
];

describe('end to end: a demo', () => {
  let ending: Ending;
  let report: SessionReport;
  let log: readonly LogLine[];
  let leftOver: readonly string[];
  let replay: Ending;

  before(async function () {
    this.timeout(240_000);
    const cwd = scratch();
    const temporary = scratch();
    const args = ['demo', '--json', '--speed', SPEED, '--journal', 'demo.db'];
    ending = await runScalpd({ cwd, args, env: { TMPDIR: temporary } });
    expect(ending.code, ending.err).to.equal(0);
    report = JSON.parse(ending.out.join('\n')) as SessionReport;
    log = readLog(cwd);
    leftOver = readdirSync(temporary);
    replay = await runScalpd({ cwd, args: ['replay', '2026-10-05', '--journal', 'demo.db', '--json'] });
  });
  after(async () => {
    await killChildren();
    removeScratch();
  });

  it('prints its report as JSON and nothing else', () => {
    expect(ending.out).to.have.length(1);
    expect(ending.err).to.equal('');
    expect(report).to.include.keys('roundTrips', 'flat', 'symbols', 'pnlUsd', 'discrepancies');
  });

  it('keeps a journal by which every decision of its threads is made again', () => {
    expect(replay.code, replay.err).to.equal(0);
    const { lanes } = JSON.parse(replay.out.join('\n')) as DayReplay;
    expect(lanes).to.have.length(report.symbols.length);
    for (const { symbol, steps, equal } of lanes) {
      expect(steps, symbol).to.be.greaterThan(390);
      expect(equal, symbol).to.equal(steps);
    }
  });

  it('trades at least five symbols for at least twenty round trips, and ends flat without a discrepancy', () => {
    expect(report.symbols.length).to.be.at.least(5);
    expect(report.roundTrips).to.be.at.least(20);
    expect(report.flat, report.open.join('\n')).to.equal(true);
    expect(report.discrepancies).to.deep.equal([]);
    expect(report.rejections).to.deep.equal({});
    const trips = report.symbols.map(({ roundTrips }) => roundTrips).reduce((sum, each) => sum + each, 0);
    expect(trips).to.equal(report.roundTrips);
  });

  it('logs a thread of its own for every lane', () => {
    const started = eventsOf(log, 'lane.started');
    expect(started.map(({ symbol }) => symbol)).to.have.members(report.symbols.map(({ symbol }) => symbol));
    const threads = started.map(({ threadId }) => threadId);
    expect(new Set(threads).size).to.equal(started.length);
    for (const threadId of threads) expect(threadId).to.be.a('number').above(0);
  });

  it('logs every round trip and every order of the report, stamped in order', () => {
    expect(eventsOf(log, 'lane.roundTrip')).to.have.length(report.roundTrips);
    expect(eventsOf(log, 'order.submitted')).to.have.length(report.submitted);
    const ids = eventsOf(log, 'order.submitted').map(({ clientOrderId }) => clientOrderId);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const line of log) expect(line).to.include.keys('at', 'level', 'event');
    for (const event of NEVER) expect(eventsOf(log, event), event).to.deep.equal([]);
  });

  it('leaves no process and no temporary file behind', () => {
    expect(ending.alone).to.equal(true);
    expect(leftOver).to.deep.equal([]);
  });
});
