import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { expect } from 'chai';
import type { LaneReport } from '../../lib/adapters/control/lane-report.ts';
import { killChildren, startScalpd } from '../e2e/support/child.ts';
import { eventOf } from '../e2e/support/daemon-log.ts';
import { removeScratch, scratch } from '../support/scratch.ts';

const LISTENING = '0A';

/** Every TCP address at which a process listens, as the kernel writes it: `0100007F:1F90`. */
function listeningAddresses(pid: number): readonly string[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.slice(1) ?? [];
      } catch {
        // Closed since the folder was read.
        return [];
      }
    }),
  );
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === LISTENING && sockets.has(inode ?? ''))
      .map(([, address = '']) => address),
  );
}

/** 127.x.x.x and ::1, bytes in the order of the machine. */
const isLoopback = (address: string): boolean =>
  /^[0-9A-F]{6}7F:/.test(address) || address.startsWith('00000000000000000000000001000000:');

describe('a daemon with all its doors open', () => {
  afterEach(async () => {
    await killChildren();
    removeScratch();
  });

  it('listens on loopback alone', async function () {
    this.timeout(60_000);
    // What a process listens on is read from the kernel's own tables.
    if (!existsSync('/proc/net/tcp')) this.skip();
    const child = startScalpd({ cwd: scratch(), args: ['run', 'SPY', 'KO'] });
    await child.line((line) => eventOf(line) === 'daemon.ready');
    const addresses = listeningAddresses(child.pid);
    expect(addresses, 'the embedded exchange').to.have.length.above(0);
    expect(addresses.filter((address) => !isLoopback(address))).to.deep.equal([]);
  });

  it('asks the thread of a lane how the lane stands, and names the symbols when there is none', async function () {
    this.timeout(60_000);
    const cwd = scratch();
    const child = startScalpd({ cwd, args: ['run', 'SPY', 'KO'] });
    await child.line((line) => eventOf(line) === 'daemon.ready');
    const asked = startScalpd({ cwd, args: ['status', '--lane', 'ko', '--json'] });
    const { code, out } = await asked.ended;
    expect(code).to.equal(0);
    const lane = JSON.parse(out.join('')) as LaneReport;
    expect(lane).to.include({ symbol: 'KO', stage: 'flat', shares: 0 });
    expect(lane.threadId, 'not the main thread').to.be.above(0);
    expect(lane.heapUsedBytes).to.be.above(0);
    const unknown = await startScalpd({ cwd, args: ['status', '--lane', 'IBM'] }).ended;
    expect(unknown.code).to.equal(2);
    expect(unknown.err).to.include('SPY, KO').and.include('IBM');
  });

  it('knows the kill switch by signal from its first moment on, with who and why in its log and status', async function () {
    this.timeout(60_000);
    const cwd = scratch();
    const child = startScalpd({ cwd, args: ['run', 'SPY'] });
    await child.line((line) => eventOf(line) === 'daemon.starting');
    child.signal('SIGUSR2');
    const killed = await child.line((line) => eventOf(line) === 'kill.switch');
    expect(killed).to.include('SIGUSR2').and.include(`pid ${child.pid}`);
    await child.line((line) => eventOf(line) === 'daemon.ready');
    const status = startScalpd({ cwd, args: ['status'] });
    expect((await status.ended).out.join('\n')).to.match(/^LATCHED .*kill switch by .*SIGUSR2/m);
    const wait = startScalpd({ cwd, args: ['kill', '--why', 'again', '--wait', '30'] });
    expect(await wait.ended).to.include({ code: 0 });
    expect(child.isRunning(), 'it looks on').to.equal(true);
  });
});
