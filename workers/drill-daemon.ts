import type { Worker } from 'node:worker_threads';
import type { DaemonAsk, DaemonPlan, DaemonSaying } from '../lib/app/drills/daemon-process.ts';
import { runDaemon } from '../lib/app/run-daemon.ts';
import type { Log } from '../lib/ports/log.ts';

/** The daemon of a drill. It is told what to run, and ends with whoever started it. */

const threads = new Map<number, Worker>();
process.on('worker', (worker) => void threads.set(worker.threadId, worker));
process.on('disconnect', () => process.exit());
// Ctrl-C goes to the whole group of processes; the drill itself ends what it started.
process.on('SIGINT', () => undefined);

const stop = new AbortController();
const say = (saying: DaemonSaying): void => {
  if (process.connected) process.send?.(saying);
};

process.on('message', (ask: DaemonAsk) => {
  if (ask.kind === 'run') void run(ask.plan);
  else if (ask.kind === 'stop') stop.abort('drill');
  else void threads.get(ask.threadId)?.terminate();
});

const told: Log = {
  debug: (event, fields = {}) => say({ kind: 'line', level: 'debug', event, fields }),
  info: (event, fields = {}) => say({ kind: 'line', level: 'info', event, fields }),
  warn: (event, fields = {}) => say({ kind: 'line', level: 'warn', event, fields }),
  error: (event, fields = {}) => say({ kind: 'line', level: 'error', event, fields }),
};

async function run({ config, endpoints, journalPath, reportsDir }: DaemonPlan): Promise<void> {
  const result = await runDaemon({
    config,
    endpoints,
    cwd: process.cwd(),
    journalPath,
    reportsDir,
    console: null,
    once: true,
    control: true,
    stop: stop.signal,
    watch: { onLog: told },
  });
  process.exitCode = result.code;
  const last: DaemonSaying = { kind: 'ended', result };
  process.send?.(last, undefined, undefined, () => process.disconnect?.());
}
