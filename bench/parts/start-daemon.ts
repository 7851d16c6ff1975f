import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LaneReport } from '../../lib/adapters/control/lane-report.ts';
import { decodeReply } from '../../lib/adapters/control/protocol.ts';
import { controlPath } from '../../lib/adapters/control/socket-path.ts';
import { endOf, PROGRAM, type StartedExchange } from './start-exchange.ts';

export type DaemonStart = {
  /** From exec to the ready signal that pm2 waits for, milliseconds. */
  readonly readyMs: number;
  /** From exec until the last lane's own thread has said that its strategy saw the session's bars so far. */
  readonly warmMs: number;
};

/** What a signal needs: 20 bars and the one before. A lane that has seen as many was warmed up from history. */
const BARS_MIN = 21;

/** `scalpd run` with journal and log on disk, as an operator starts it, against that exchange; then it is stopped. */
export async function startDaemon({ url, symbols }: StartedExchange): Promise<DaemonStart> {
  const cwd = await mkdtemp(join(tmpdir(), 'scalpd-start-'));
  const config = join(cwd, 'scalpd.yaml');
  await writeFile(config, configOf(symbols));
  const startedAt = performance.now();
  const child = spawn(process.execPath, [PROGRAM, 'run', '--config', config], {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...process.env,
      APCA_API_KEY_ID: 'start',
      APCA_API_SECRET_KEY: 'start',
      APCA_API_BASE_URL: url,
      APCA_API_DATA_URL: url,
      APCA_API_STREAM_URL: url.replace('http', 'ws'),
    },
  });
  const ended = endOf(child);
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', (code) => reject(new Error(`the daemon gets ready; it ended with code ${code}`)));
    });
    const readyMs = performance.now() - startedAt;
    await untilWarm(controlPath(join(cwd, 'scalpd.db')), symbols);
    return { readyMs, warmMs: performance.now() - startedAt };
  } finally {
    child.kill('SIGINT');
    await ended;
    await rm(cwd, { recursive: true });
  }
}

/** Asked at the daemon's own door, on one connection, and answered by the lanes' threads. */
async function untilWarm(path: string, symbols: readonly string[]): Promise<void> {
  const cold = new Set(symbols);
  while (cold.size > 0) {
    const door = connect(path);
    for (const symbol of cold) door.write(`${JSON.stringify({ kind: 'lane', symbol, by: 'bench' })}\n`);
    let unanswered = cold.size;
    for await (const line of createInterface(door)) {
      const reply = decodeReply(line);
      if (!reply.ok) throw new Error(`a lane tells how it stands. Found: ${reply.text}`);
      const { symbol, barsSeen } = reply.value as LaneReport;
      if (barsSeen >= BARS_MIN) cold.delete(symbol);
      unanswered -= 1;
      if (unanswered === 0) break;
    }
    door.destroy();
  }
}

const configOf = (symbols: readonly string[]): string =>
  [
    'account: { mode: paper }',
    'feed: sip',
    'log: { dir: logs }',
    'journal: { path: scalpd.db }',
    'reports: { dir: reports }',
    'symbols:',
    ...symbols.map((symbol) => `  - { symbol: ${symbol}, lot: 2000 }`),
    '',
  ].join('\n');
