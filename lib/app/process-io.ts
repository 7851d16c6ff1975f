import type { Io } from './command.ts';
import { type StopSignals, watchStopSignals } from './signals.ts';

/** The real surroundings of a command. `early`: signals that are watched already. */
export function processIo(early: StopSignals | null = null): Io {
  const gone = new AbortController();
  // A reader that went away (`scalpd tail | head`) must not crash a daemon that holds shares.
  process.stdout.on('error', () => gone.abort('EPIPE'));
  process.stderr.on('error', () => undefined);
  let signals = early;
  return {
    out: (line) => {
      if (!gone.signal.aborted) process.stdout.write(`${line}\n`);
    },
    write: (text) => {
      if (!gone.signal.aborted) process.stdout.write(text);
    },
    err: (line) => void process.stderr.write(`${line}\n`),
    isTty: process.stdout.isTTY === true,
    env: process.env,
    cwd: process.cwd(),
    readerGone: gone.signal,
    stopSignals: () => {
      signals ??= watchStopSignals();
      return signals;
    },
  };
}

/** Takes up `.env` of the working directory where there is one; what the environment says already wins. */
export function loadDotEnv(io: Io): boolean {
  try {
    process.loadEnvFile('.env');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : null;
    if (code !== 'ENOENT') {
      io.err(`scalpd: .env must be a readable file, or not be there; found: ${code}`);
      return false;
    }
  }
  return true;
}
