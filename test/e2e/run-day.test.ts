import { expect } from 'chai';
import { removeScratch } from '../support/scratch.ts';
import { killChildren } from './support/child.ts';
import { eventsOf, readLog } from './support/daemon-log.ts';
import { expectAgreement } from './support/exchange.ts';
import { realTape, TAPE_SYMBOLS } from './support/real-tape.ts';
import { type Day, runDay } from './support/run-day.ts';

/** Both are mostly waiting, so they run side by side. `full-sessions.ts` runs both at the pace of a minute a second. */
describe('end to end: scalpd run against scalpd exchange, by environment variables alone', function () {
  this.timeout(240_000);
  const tape = realTape();
  let recorded: Promise<Day | Error> | null = null;
  let invented: Promise<Day | Error>;

  const begin = (args: readonly string[]): Promise<Day | Error> =>
    runDay(args).catch((cause: unknown) => (cause instanceof Error ? cause : new Error(String(cause))));
  const finish = async (day: Promise<Day | Error>): Promise<Day> => {
    const ended = await day;
    if (ended instanceof Error) throw ended;
    return ended;
  };

  before(() => {
    invented = begin(['--speed', '120', '--count', '50', '--start', '15:00']);
    if (tape !== null) recorded = begin(['--speed', '390', '--tape', ...tape]);
  });
  after(async () => {
    await killChildren();
    removeScratch();
  });

  it('trades the last hour of fifty invented symbols, and agrees with the books of the exchange to the cent', async () => {
    const { report, books, cwd } = await finish(invented);
    expectAgreement(report, books);
    expect(books.orders).to.equal(report.submitted);
    expect(report.symbols).to.have.length(50);
    expect(report.roundTrips, JSON.stringify([report.refusals, report.denials])).to.be.at.least(20);
    const threads = eventsOf(readLog(cwd), 'lane.started').map(({ threadId }) => threadId);
    expect(new Set(threads).size).to.equal(50);
  });

  it('trades a recorded session of four symbols, and agrees with the books of the exchange to the cent', async function () {
    if (recorded === null) {
      process.stdout.write('    skipped: needs the recordings of ../shared/data/tape\n');
      this.skip();
    }
    const { report, books, cwd } = await finish(recorded);
    expectAgreement(report, books);
    expect(books.orders).to.equal(report.submitted);
    expect(report.day).to.equal('2013-10-08');
    expect(report.symbols.map(({ symbol }) => symbol)).to.have.members([...TAPE_SYMBOLS]);
    expect(report.roundTrips, JSON.stringify([report.refusals, report.denials])).to.be.at.least(20);
    expect(eventsOf(readLog(cwd), 'session.ended')).to.have.length(1);
  });
});
