import { closeSync, existsSync, openSync, readdirSync, readFileSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type OpenLog, type OpenLogOptions, openLog } from '../../lib/adapters/log/open-log.ts';
import { parseLine } from '../../lib/adapters/log/record.ts';
import { micros } from '../../lib/domain/time.ts';
import { removeScratch, scratch } from '../support/scratch.ts';

const NOW = micros(1_700_000_000_000_000);

function open(options: Partial<OpenLogOptions>): OpenLog {
  return openLog({
    level: 'info',
    dir: null,
    fileBytesMax: 1_000_000,
    filesMax: 3,
    console: null,
    now: () => NOW,
    wallNow: () => NOW,
    ...options,
  });
}

const linesOf = (file: string): readonly string[] => readFileSync(file, 'utf8').split('\n').filter(Boolean);

describe('log', () => {
  after(removeScratch);

  it('writes lines at and above its level, in order, with the clock it was given', async () => {
    const dir = scratch();
    const log = open({ dir });
    log.debug('a.hidden');
    log.info('a.first', { symbol: 'SPY' });
    log.setNow(() => micros(NOW + 3_600_000_000));
    log.warn('a.second');
    log.debug('a.hidden');
    log.error('a.third');
    await log.close();
    const records = linesOf(join(dir, 'scalpd.log')).map(parseLine);
    expect(records.map((record) => record?.event)).to.deep.equal(['a.first', 'a.second', 'a.third']);
    expect(records[0]?.at).to.equal(NOW);
    expect(records[0]?.fields).not.to.have.property('wall');
    expect(records[1]?.at).to.equal(NOW + 3_600_000_000);
    expect(records[1]?.fields.wall).to.equal('2023-11-14T22:13:20.000000Z');
  });

  it('loses no line when a burst runs through many rotations, and keeps the files it was told to', async () => {
    const dir = scratch();
    const log = open({ dir, fileBytesMax: 200_000, filesMax: 50 });
    for (let i = 0; i < 20_000; i++) log.info('burst.line', { i });
    await log.close();
    const files = readdirSync(dir);
    const numbers = files
      .flatMap((name) => linesOf(join(dir, name)))
      .map((line) => parseLine(line)?.fields.i);
    expect(files.length).to.be.above(5);
    expect(numbers.length).to.equal(20_000);
    expect(new Set(numbers).size).to.equal(20_000);

    const again = open({ dir, fileBytesMax: 200_000, filesMax: 3 });
    for (let i = 0; i < 20_000; i++) again.info('burst.line', { i });
    await again.close();
    const newest = linesOf(join(dir, 'scalpd.log')).at(-1) ?? '';
    expect(parseLine(newest)?.fields.i).to.equal(19_999);
    expect(existsSync(join(dir, 'scalpd.log.2'))).to.equal(true);
  });

  it('says how many lines a burst beyond its bound has cost', async () => {
    const dir = scratch();
    const log = open({ dir });
    for (let i = 0; i < 20_100; i++) log.info('burst.line', { i });
    await log.close();
    const dropped = linesOf(join(dir, 'scalpd.log'))
      .map(parseLine)
      .find((it) => it?.event === 'log.dropped');
    expect(dropped?.fields).to.include({ lines: 100, code: 'burst' });
  });

  it('survives a full disk and writes on when there is room again', async () => {
    if (!existsSync('/dev/full')) return;
    const dir = scratch();
    const file = join(dir, 'scalpd.log');
    symlinkSync('/dev/full', file);
    const log = open({ dir });
    log.info('disk.full');
    const failing = log.flush();
    await new Promise((resolve) => setImmediate(resolve));
    unlinkSync(file);
    log.info('disk.free');
    await failing;
    await log.close();
    expect(linesOf(file).map((line) => parseLine(line)?.event)).to.deep.equal(['disk.full', 'disk.free']);
  });

  it('goes on without a console whose reader has gone', async () => {
    const dir = scratch();
    const closed = openSync(join(dir, 'console'), 'w');
    closeSync(closed);
    const log = open({ dir, console: { descriptor: closed, style: 'json' } });
    log.info('a.first');
    await log.flush();
    log.info('a.second');
    await log.close();
    expect(linesOf(join(dir, 'scalpd.log'))).to.have.length(2);
  });

  it('prints readable lines for people and JSON for programs, without secrets in either', async () => {
    const dir = scratch();
    for (const style of ['json', { color: true }] as const) {
      const name = join(dir, style === 'json' ? 'json' : 'readable');
      const descriptor = openSync(name, 'w');
      const log = open({ console: { descriptor, style } });
      log.redactor.add('s3cr3t-s3cr3t');
      log.error('http.failed', { symbol: 'SPY', text: 'key s3cr3t-s3cr3t refused' });
      await log.close();
      closeSync(descriptor);
    }
    expect(readFileSync(join(dir, 'readable'), 'utf8')).to.equal(
      '\u001b[31m22:13:20.000 SPY   ERROR http.failed key [secret] refused\u001b[0m\n',
    );
    expect(readFileSync(join(dir, 'json'), 'utf8')).to.include('"text":"key [secret] refused"');
  });

  it('prints no more than it was told to, and keeps everything in the file', async () => {
    const dir = scratch();
    const name = join(dir, 'console');
    const descriptor = openSync(name, 'w');
    const log = open({ dir, console: { descriptor, style: 'json', level: 'warn' } });
    log.info('a.first');
    log.warn('a.second');
    await log.close();
    closeSync(descriptor);
    expect(linesOf(name).map((line) => parseLine(line)?.event)).to.deep.equal(['a.second']);
    expect(linesOf(join(dir, 'scalpd.log'))).to.have.length(2);
  });

  it('leaves its last lines in the file when the process ends at once', async () => {
    const dir = scratch();
    const log = open({ dir });
    log.error('process.dying', { text: 'uncaught' });
    log.flushSync();
    expect(linesOf(join(dir, 'scalpd.log')).map((line) => parseLine(line)?.event)).to.deep.equal([
      'process.dying',
    ]);
    await log.close();
  });
});
